import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { describeConformance } from './conformance/conformance.ts';

describeConformance('reference in float32', () => new ReferenceBackend('float32'));
describeConformance('reference in float64', () => new ReferenceBackend('float64'));
describeConformance('reference in int16', () => new ReferenceBackend('float32', 'int16'));

describe('ReferenceBackend', () => {
  it('has no int16 beside float64', () => {
    expect(() => new ReferenceBackend('float64', 'int16')).toThrow(TypeError);
  });
});
