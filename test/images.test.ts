import { expect, it, vi } from 'vitest';
import { ReferenceBackend } from '../src/backends/reference/reference.ts';
import { shareableImages } from '../src/images.ts';

it('images need no shared memory, which a page in a browser does not have', () => {
  vi.stubGlobal('SharedArrayBuffer', undefined);
  try {
    const set = new ReferenceBackend().imageSet(2);
    expect([set.images.length, set.labels.length]).toEqual([2 * 3072, 2]);
    expect(shareableImages(set)).toBe(set);
  } finally {
    vi.unstubAllGlobals();
  }
});
