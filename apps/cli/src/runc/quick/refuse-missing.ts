/**
 * What Node's objects have and ours have not.
 *
 * Knows: that `undefined` in place of it would be taken for an answer, while an error makes the command Node's.
 * Does not know: any object.
 */

/** From now on a name that neither `object` nor its prototype has throws, in all that inherit from it too. */
export function refuseMissing(object: object): void {
  const refusing = new Proxy(Object.create(Object.getPrototypeOf(object)) as object, {
    get(inherited, name, receiver) {
      if (name in inherited || typeof name === 'symbol') return Reflect.get(inherited, name, receiver);
      throw new Error(`"${name}" is not here`);
    },
  });
  Object.setPrototypeOf(object, refusing);
}
