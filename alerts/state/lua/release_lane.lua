-- ARGV: prefix, owner, channel, not_before_s.
local owner, channel = ARGV[2], ARGV[3]
if redis.call('HGET', key('lanes:owner'), channel) ~= owner then return 'stale' end
end_lane_lease(channel, owner)
if tonumber(ARGV[4]) > 0 then
  redis.call('ZADD', key('lanes:rest'), stamp(now + tonumber(ARGV[4])), channel)
else
  redis.call('ZREM', key('lanes:rest'), channel)
end
offer_lane(channel, 0)
return 'done'
