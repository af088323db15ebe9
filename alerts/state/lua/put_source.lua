-- ARGV: prefix, source id, Source, paused (0|1). A new or resumed source is due at once.
local id, json = ARGV[2], ARGV[3]
local before = redis.call('HGET', key('sources'), id)
if before == json then return 'same' end
redis.call('HSET', key('sources'), id, json)
-- At another address nothing holds that the old one said: validators, redirects; a poll under way is stale.
local poll = key('poll:' .. id)
local state = redis.call('HGET', poll, 'json')
if before and state and cjson.decode(before)['url'] ~= cjson.decode(json)['url'] then
  local learned = cjson.decode(state)
  local rev = redis.call('HINCRBY', poll, 'rev', 1)
  learned['revision'], learned['moved_to'], learned['is_gone'] = rev, nil, nil
  learned['etag'], learned['last_modified'], learned['body_hash'] = nil, nil, nil
  redis.call('HSET', poll, 'json', cjson.encode(learned))
end
if ARGV[4] == '1' then
  redis.call('SADD', key('paused'), id)
  redis.call('ZREM', key('due'), id)
else
  redis.call('SREM', key('paused'), id)
  if redis.call('HEXISTS', key('lease:source'), id) == 0 then redis.call('ZADD', key('due'), stamp(now), id) end
end
return 'done'
