'use strict';

const show = (ctx) => {
  const { user, clerk } = ctx.state;
  ctx.body = { user: user ? { id: user.id, role: user.role?.type } : null, clerk: clerk ?? null };
};

module.exports = { open: show, publicOnly: show, members: show, denied: show };
