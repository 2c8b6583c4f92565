/** Statements of the spec that docker-registry 2.8 does not keep, each with the reason. */
const OLDER = 'older than version 1.1 of the spec, so it has no referrers';
const UNSORTED = 'lists the tags directory as it comes, whole: no order, no pages';

export const DOCKER_REGISTRY_DIFFERENCES: Readonly<Record<string, string>> = {
  'a part beyond a blob’s end is 416': 'answers 416 with the Content-Length of the whole blob, and breaks off',
  'one POST with all bytes makes a blob': 'does not do uploads in one POST; answers as to any POST, which the spec allows',
  'a chunk out of order is 416, and the upload goes on [B37]': 'appends chunks wherever they say they belong',
  'a subject that is not there is no reason to refuse, and is confirmed': OLDER,
  'x/x/x/x/x/x/ is no repository': 'takes any name, until the disk refuses',
  'tags are listed in order': UNSORTED,
  'n limits the list, and Link leads to the rest': UNSORTED,
  'last begins the list after a tag, be it there or not': UNSORTED,
  'n=0 is an empty list': UNSORTED,
  'an n that is no number is refused': UNSORTED,
  'nothing refers to a digest: an empty index, not 404': OLDER,
  'referrers are described with type, artifact type, size and annotations': OLDER,
  'an image that refers has its config’s type as artifact type': OLDER,
  'artifactType filters, and the answer says so': OLDER,
  'a deleted referrer is listed no longer': OLDER,
  'referrers of what is no digest are refused': OLDER,
  'a deleted tag is gone, its manifest is not': 'deletes manifests by digest only',
};
