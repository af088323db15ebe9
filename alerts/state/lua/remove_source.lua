-- ARGV: prefix, source id.
local id = ARGV[2]
if redis.call('HDEL', key('sources'), id) == 0 then return 'missing' end
redis.call('ZREM', key('due'), id)
redis.call('SREM', key('paused'), id)
redis.call('DEL', key('poll:' .. id), key('seen:' .. id))
local owner = redis.call('HGET', key('lease:source'), id)
if owner then end_source_lease(id, owner) end
return 'done'
