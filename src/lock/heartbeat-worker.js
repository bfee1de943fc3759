// A worker thread: sends heartbeats while the main thread computes for minutes without a turn for its timers.
import { workerData } from 'node:worker_threads';
import { beat } from './heartbeat.js';

const { path, content, interval } = workerData;
setInterval(() => beat(path, content), interval);
