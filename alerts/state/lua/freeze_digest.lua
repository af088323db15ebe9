-- ARGV: prefix, digest, alert id, Alert, delivery id, Delivery, subscriber, channel, keep_s, members n, member * n.
-- The members leave the open digest in the same call that writes the delivery which tells them: nothing falls between.
-- Unless they are as many as one digest may hold, they are all of it: whoever came since has to be among them.
local digest, subscriber, channel, keep, n = ARGV[2], ARGV[7], ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
local open = key('digest:' .. digest)
local size = redis.call('ZCARD', open)
if size == 0 then
  redis.call('ZREM', key('digests'), digest)
  return 'already'
end
if size ~= n and n < 500 then return 'stale' end
for i = 1, n do
  if not redis.call('ZSCORE', open, ARGV[10 + i]) then return 'stale' end
end
for i = 1, n do
  local member = ARGV[10 + i]
  redis.call('ZREM', open, member)
  redis.call('HSET', key('delivery:' .. member), 'status', 'digested', 'reason', 'told in the digest ' .. ARGV[5])
end
if size == n then redis.call('ZREM', key('digests'), digest) end
if redis.call('HSETNX', key('alert:' .. ARGV[3]), 'json', ARGV[4]) == 1 then
  redis.call('EXPIRE', key('alert:' .. ARGV[3]), keep)
  redis.call('ZADD', key('alerts:' .. subscriber), stamp(now), ARGV[3])
end
if redis.call('HSETNX', key('delivery:' .. ARGV[5]), 'json', ARGV[6]) == 1 then
  redis.call('HSET', key('delivery:' .. ARGV[5]), 'status', 'pending', 'attempts', 0, 'due', stamp(now), 'queued', stamp(now))
  redis.call('EXPIRE', key('delivery:' .. ARGV[5]), keep)
  redis.call('ZADD', key('deliveries'), stamp(now), ARGV[5])
  redis.call('SADD', key('delivered:' .. ARGV[3]), ARGV[5])
  redis.call('EXPIRE', key('delivered:' .. ARGV[3]), keep)
  redis.call('ZADD', key('lane:' .. channel), stamp(now), ARGV[5])
  offer_for({channel}, false)
end
return 'done'
