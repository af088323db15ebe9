-- ARGV: prefix, channel, delivery * n. What is held in the channel's lane is due now.
local channel, hastened = ARGV[2], 0
for i = 3, #ARGV do
  local delivery = key('delivery:' .. ARGV[i])
  if redis.call('HGET', delivery, 'status') == 'held' and redis.call('ZSCORE', key('lane:' .. channel), ARGV[i]) then
    redis.call('HSET', delivery, 'due', stamp(now))
    redis.call('ZADD', key('lane:' .. channel), stamp(now), ARGV[i])
    hastened = hastened + 1
  end
end
if redis.call('HEXISTS', key('lanes:owner'), channel) == 0 then offer_lane(channel, now) end
return hastened
