import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { describeConformance } from './conformance/conformance.ts';

describeConformance('reference in float32', () => new ReferenceBackend('float32'));
describeConformance('reference in float64', () => new ReferenceBackend('float64'));
