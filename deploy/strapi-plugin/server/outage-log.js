'use strict';

// Logs that clerk-ingest is unavailable, at most one line per minute whatever the traffic, and one line when it is
// available again.

const quietMs = 60_000;

function createOutageLog({ log, now = () => performance.now() }) {
  let loggedAt = -Infinity;
  let suppressed = 0;
  let isUnavailable = false;

  return {
    unavailable(why) {
      if (now() - loggedAt < quietMs) {
        suppressed += 1;
        return;
      }
      const more = suppressed > 0 ? ` (${suppressed} more requests since the last such line)` : '';
      log.error(`clerk-sync: clerk-ingest is unavailable: ${why}; requests with Clerk tokens get 503${more}`);
      loggedAt = now();
      suppressed = 0;
      isUnavailable = true;
    },
    available() {
      if (!isUnavailable) return;
      isUnavailable = false;
      log.info('clerk-sync: clerk-ingest is available again');
    },
  };
}

module.exports = { createOutageLog };
