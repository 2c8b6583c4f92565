/* Running from a sealed copy of the program; see seal.c. */
#ifndef SEAL_H
#define SEAL_H

/* Returns 0 when this process runs from a sealed memfd; else executes itself from one, and returns -1 only on failure. */
int run_sealed(char **argv, char **envp);

#endif
