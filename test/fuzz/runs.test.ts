import { fuzz } from './fuzz.ts';
import { RUN_READERS } from './readers.ts';

fuzz(RUN_READERS);
