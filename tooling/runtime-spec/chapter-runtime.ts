/** Normative statements of the runtime specification's runtime.md. @see statements.ts */
import type { Chapter } from './statements.ts';

export const RUNTIME: Chapter = {
  document: 'runtime.md',
  statements: {
    'scope-of-a-container/same-caller': { must: 'whoever created a container can use every other operation on it' },

    'state/version': { must: 'the state says which version of the specification it follows' },
    'state/id': { must: 'the state carries the id' },
    'state/unique': { must: 'an id stands for one container of this host only' },
    'state/status': { must: 'the state carries a status: creating, created, running or stopped' },
    'state/extra-status': { must: 'a status beyond those four stands for a condition that none of them describes' },
    'state/pid': { must: 'while a container is created or running on Linux, its state has the pid that the host sees' },
    'state/bundle': { must: 'the state carries the absolute path of the bundle' },
    'state/json': { must: 'written as JSON, the state has these names and types' },

    'lifecycle/as-configured': { must: 'creation sets up what config.json describes' },
    'lifecycle/cannot-create': { must: 'what cannot be set up is an error' },
    'lifecycle/not-yet-run': { must: 'creation makes every resource and runs nothing of the user' },
    'lifecycle/later-changes': { must: 'a config.json that changes after creation changes nothing' },
    'lifecycle/prestart-hooks': { must: 'creation calls the prestart hooks' },
    'lifecycle/prestart-failure': { must: 'a prestart hook that fails is an error, stops the container and leads on to its removal' },
    'lifecycle/create-runtime-hooks': { must: 'creation calls the createRuntime hooks' },
    'lifecycle/create-runtime-failure': {
      must: 'a createRuntime hook that fails is an error, stops the container and leads on to its removal',
    },
    'lifecycle/create-container-hooks': { must: 'creation calls the createContainer hooks' },
    'lifecycle/create-container-failure': {
      must: 'a createContainer hook that fails is an error, stops the container and leads on to its removal',
    },
    'lifecycle/start-container-hooks': { must: 'the start calls the startContainer hooks' },
    'lifecycle/start-container-failure': {
      must: 'a startContainer hook that fails is an error, stops the container and leads on to its removal',
    },
    'lifecycle/runs-the-program': { must: 'the start runs the program of the document' },
    'lifecycle/poststart-hooks': { must: 'the start calls the poststart hooks' },
    'lifecycle/poststart-failure': { must: 'a poststart hook that fails is an error, stops the container and leads on to its removal' },
    'lifecycle/undone': { must: 'deletion undoes what creation did' },
    'lifecycle/poststop-hooks': { must: 'deletion calls the poststop hooks' },
    'lifecycle/poststop-failure': { must: 'a poststop hook that fails is a warning, and everything after it happens all the same' },

    'errors/no-trace': { must: 'after an error the host is as if the operation had not been tried, logs apart' },

    'operations/all': { must: 'there are the operations state, create, start, kill and delete' },

    'query-state/needs-id': { must: 'asking for a state without an id is an error' },
    'query-state/unknown': { must: 'asking for the state of a container that is not there is an error' },
    'query-state/answers': { must: 'the answer is the state as described' },

    'create/needs-both': { must: 'creating without a bundle or without an id is an error' },
    'create/id-refused': { must: 'an id that is taken, or not a valid one, is an error and makes nothing' },
    'create/makes-one': { must: 'a new container comes into being as config.json says' },
    'create/applies-all': { must: 'creation applies every property but the process' },
    'create/args-later': { must: 'the program is not run before the start' },
    'create/cannot-apply': { must: 'a property that cannot be applied is an error, and no container is made' },

    'start/needs-id': { must: 'starting without an id is an error' },
    'start/wrong-state': { must: 'starting a container that is not in the status created is an error and changes nothing' },
    'start/runs': { must: 'the start runs the program that the document names' },
    'start/no-process': { must: 'starting a container whose document names no process is an error' },

    'kill/needs-id': { must: 'a kill without an id is an error' },
    'kill/wrong-state': { must: 'a signal for a container that is neither created nor running is an error and reaches nobody' },
    'kill/sends': { must: 'the signal that was asked for reaches the process' },

    'delete/needs-id': { must: 'a deletion without an id is an error' },
    'delete/wrong-state': { must: 'deleting a container that is not stopped is an error and changes nothing' },
    'delete/removes': { must: 'deletion takes away what creation made' },
    'delete/spares': { must: 'what others made for the container stays' },
  },
};
