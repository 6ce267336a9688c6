'use strict';

// As sites write it.
module.exports = ({ state }) => state.user?.role.type === 'authenticated' || state.auth.strategy.name === 'content-api-token';
