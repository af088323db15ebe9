-- ARGV: prefix, owner, channel, not_before_s.
local owner, channel = ARGV[2], ARGV[3]
if redis.call('HGET', key('lane:owner'), channel) ~= owner then return 'stale' end
end_lane_lease(channel, owner)
offer_lane(channel, now + tonumber(ARGV[4]))
return 'done'
