-- ARGV: prefix, subscriber, channel, alert id, Alert, delivery id, Delivery, keep_s, members n, member * n.
-- The members leave the open digest in the same call that writes the delivery which tells them: nothing falls between.
local digest = ARGV[2] .. ':' .. ARGV[3]
local open, keep = key('digest:' .. digest), tonumber(ARGV[8])
for i = 1, tonumber(ARGV[9]) do
  if not redis.call('ZSCORE', open, ARGV[9 + i]) then return 'stale' end
end
for i = 1, tonumber(ARGV[9]) do
  local member = ARGV[9 + i]
  redis.call('ZREM', open, member)
  redis.call('HSET', key('delivery:' .. member), 'status', 'digested', 'reason', 'told in the digest ' .. ARGV[6])
end
redis.call('ZREM', key('digests'), digest)
local first = redis.call('ZRANGE', open, 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', key('digests'), first[2], digest) end
if redis.call('HSETNX', key('alert:' .. ARGV[4]), 'json', ARGV[5]) == 1 then
  redis.call('EXPIRE', key('alert:' .. ARGV[4]), keep)
  redis.call('ZADD', key('alerts:' .. ARGV[2]), stamp(now), ARGV[4])
end
if redis.call('HSETNX', key('delivery:' .. ARGV[6]), 'json', ARGV[7]) == 1 then
  redis.call('HSET', key('delivery:' .. ARGV[6]), 'status', 'pending', 'attempts', 0, 'due', stamp(now), 'queued', stamp(now))
  redis.call('EXPIRE', key('delivery:' .. ARGV[6]), keep)
  redis.call('ZADD', key('deliveries'), stamp(now), ARGV[6])
  redis.call('SADD', key('delivered:' .. ARGV[4]), ARGV[6])
  redis.call('ZADD', key('lane:' .. ARGV[3]), stamp(now), ARGV[6])
  offer_for(ARGV[3], false)
end
return 'done'
