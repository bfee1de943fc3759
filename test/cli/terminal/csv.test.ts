import { describe, expect, it } from 'vitest';
import { csvOf } from '../../../src/cli/terminal/csv.ts';

describe('CSV', () => {
  it('is the one of the examples of RFC 4180, with newlines alone', () => {
    expect(csvOf(['aaa', 'b\nbb', 'ccc'], [['zzz', 'b"bb', 'c,cc']])).toBe('aaa,"b\nbb",ccc\nzzz,"b""bb","c,cc"\n');
  });

  it('writes numbers so that they can be read back, and nothing for no value', () => {
    const values = [0.1 + 0.2, 1e-7, -0, 2 ** 53, true, null, undefined, ''];
    expect(csvOf(['a'], [values])).toBe('a\n0.30000000000000004,1e-7,0,9007199254740992,true,,,\n');
  });

  it('keeps spaces at the ends of a value', () => {
    expect(csvOf([' a'], [['b ', 'c d']])).toBe('" a"\n"b ",c d\n');
  });
});
