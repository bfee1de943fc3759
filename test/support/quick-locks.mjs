// Loaded into a process with --import: the lock of a trial in a queue lasts two seconds instead of thirty, so that a test need
// not wait for that of a worker which is dead or cut off. Where a live worker is too slow to renew one, two workers train the
// same trial, to the same bits.
import { Worker } from 'bullmq';

/** @type {any} */
const prototype = Worker.prototype;
const { createLockManager } = prototype;
prototype.createLockManager = function () {
  Object.assign(this.opts, { lockDuration: 2000, lockRenewTime: 500, stalledInterval: 500 });
  createLockManager.call(this);
};
