-- ARGV: prefix, owner, delivery, channel, status, attempts, reason, due, repeat (0|1), sent.
local owner, id, channel, status, due = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[8]
local delivery = key('delivery:' .. id)
local held = redis.call('HMGET', delivery, 'status', 'owner')
if held[2] ~= owner then return 'stale' end
if held[1] ~= 'sending' then
  if held[1] == status then return 'already' end
  return 'stale'
end
redis.call('HSET', delivery, 'status', status, 'attempts', ARGV[6], 'reason', ARGV[7], 'due', due, 'repeat', ARGV[9], 'sent', ARGV[10])
if status == 'pending' or status == 'retry' then
  redis.call('ZADD', key('lane:' .. channel), due, id)
else
  redis.call('ZREM', key('lane:' .. channel), id)
end
count('delivery_' .. status)
return 'done'
