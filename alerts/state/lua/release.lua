-- ARGV: prefix, owner, delivery, subscriber, channel, policy ('' = nothing to note), urgency (0 = not counted), carries.
-- A claimed delivery that is sent now: its ring counts once, at the last time it is tried.
local id, policy, urgency = ARGV[3], ARGV[6], tonumber(ARGV[7])
local held = redis.call('HMGET', key('delivery:' .. id), 'status', 'owner')
if held[2] ~= ARGV[2] or held[1] ~= 'sending' then return 'stale' end
if policy ~= '' then redis.call('HSET', key('delivery:' .. id), 'policy', policy) end
if urgency > 0 then
  local rings = key('rings:' .. ARGV[4] .. ':' .. ARGV[5])
  redis.call('ZADD', rings, stamp(now), urgency .. ':' .. id)
  redis.call('ZREMRANGEBYSCORE', rings, '-inf', stamp(now - 86400))
  redis.call('ZREMRANGEBYRANK', rings, 0, -2001)
  redis.call('EXPIRE', rings, 86400)
end
if ARGV[8] ~= '' then carry(ARGV[8], id, ARGV[5]) end
return 'done'
