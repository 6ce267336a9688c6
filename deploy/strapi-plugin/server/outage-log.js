'use strict';

// Says that clerk-ingest is away, at most once a minute whatever the traffic, and once that it is back.

const quietMs = 60_000;

function createOutageLog({ log, now = () => performance.now() }) {
  let saidAt = -Infinity;
  let unsaid = 0;
  let isAway = false;

  return {
    away(why) {
      if (now() - saidAt < quietMs) {
        unsaid += 1;
        return;
      }
      const more = unsaid > 0 ? ` (${unsaid} more requests since the last such line)` : '';
      log.error(`clerk-sync: no word from clerk-ingest: ${why}; Clerk's users are answered 503${more}`);
      saidAt = now();
      unsaid = 0;
      isAway = true;
    },
    back() {
      if (!isAway) return;
      isAway = false;
      log.info('clerk-sync: clerk-ingest answers again');
    },
  };
}

module.exports = { createOutageLog };
