-- ARGV: prefix, rule id, JSON {rule, query_id} ('' = remove), query id.
local id, json, query = ARGV[2], ARGV[3], ARGV[4]
local before = redis.call('HGET', key('rules'), id)
if before then redis.call('ZREM', key('query:' .. cjson.decode(before)['query_id']), id) end
if json == '' then
  if not before then return 'missing' end
  redis.call('HDEL', key('rules'), id)
else
  redis.call('HSET', key('rules'), id, json)
  redis.call('ZADD', key('query:' .. query), 0, id)
end
-- A time, not a counter: after a torn log a counter would give an old version to a new change.
local version = math.max(tonumber(redis.call('GET', key('rules:version')) or '0') + 1, math.floor(now * 1000000))
redis.call('SET', key('rules:version'), string.format('%d', version))
redis.call('ZADD', key('rules:log'), string.format('%d', version), id)
return 'done'
