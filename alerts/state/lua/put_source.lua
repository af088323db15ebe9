-- ARGV: prefix, source id, Source, paused (0|1). A new or resumed source is due at once.
local id, json = ARGV[2], ARGV[3]
local before = redis.call('HGET', key('sources'), id)
if before == json then return 'same' end
redis.call('HSET', key('sources'), id, json)
if ARGV[4] == '1' then
  redis.call('SADD', key('paused'), id)
  redis.call('ZREM', key('due'), id)
else
  redis.call('SREM', key('paused'), id)
  if redis.call('HEXISTS', key('lease:source'), id) == 0 then redis.call('ZADD', key('due'), stamp(now), id) end
end
return 'done'
