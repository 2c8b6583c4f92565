/* The whole of the lab's hello image: what a container needs, and nothing else. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    printf("Hello from a container.\n\n"
           "My process id is %d, because the engine gave me a process table of my own.\n"
           "I am the only file in my image: no shell, no libraries, no /etc.\n",
           (int)getpid());
    return 0;
}
