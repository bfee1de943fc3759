import { fuzz } from './fuzz.ts';
import { IMAGE_READERS } from './readers.ts';

fuzz(IMAGE_READERS);
