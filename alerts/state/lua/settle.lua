-- ARGV: prefix, owner, delivery, channel, status, attempts, reason, due, paused, sent, digest, later, carries,
-- repeat (0|1).
-- A claimed delivery that is not sent now. A digest whose time has come and that is no longer open was frozen: then it is
-- one for the next, which is due `later`.
local owner, id, channel, status, due, digest = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[8], ARGV[11]
local delivery = key('delivery:' .. id)
local held = redis.call('HMGET', delivery, 'status', 'owner')
if held[2] ~= owner then return 'stale' end
if held[1] ~= 'sending' then
  if held[1] == status then return 'already' end
  return 'stale'
end
redis.call('ZREM', key('lane:' .. channel), id)
if digest ~= '' then
  local open = redis.call('ZSCORE', key('digests'), digest)
  if not open and tonumber(due) <= now then due = ARGV[12] end
  if not open or tonumber(due) < tonumber(open) then redis.call('ZADD', key('digests'), due, digest) end
  redis.call('ZADD', key('digest:' .. digest), stamp(now), id)
elseif status == 'held' then
  if tonumber(due) <= now then due = stamp(now + 1) end -- by the decider's clock it is not time yet: look again soon
  redis.call('ZADD', key('lane:' .. channel), due, id)
end
redis.call('HSET', delivery, 'status', status, 'attempts', ARGV[6], 'reason', ARGV[7], 'policy', ARGV[7],
  'due', due, 'paused', ARGV[9], 'sent', ARGV[10], 'digest', digest, 'repeat', ARGV[14])
if ARGV[13] ~= '' then carry(ARGV[13], id, channel) end
count('delivery_' .. status)
return 'done'
