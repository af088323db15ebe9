-- ARGV: prefix, delivery id, to ('pending' = replay, 'dropped' = take back), reason, keep_s.
local id, to = ARGV[2], ARGV[3]
local delivery = key('delivery:' .. id)
local held = redis.call('HMGET', delivery, 'status', 'json')
if not held[1] then return 'missing' end
local channel, subscriber = cjson.decode(held[2])['channel_id'], cjson.decode(held[2])['subscriber_id']
local is_waiting = held[1] == 'pending' or held[1] == 'retry' or held[1] == 'held'
if held[1] == 'sending' or (to == 'dropped') ~= is_waiting then return held[1] end
redis.call('HSET', delivery, 'status', to, 'reason', ARGV[4], 'attempts', 0, 'due', stamp(now))
if to == 'dropped' then
  redis.call('ZREM', key('lane:' .. channel), id)
  redis.call('ZREM', key('digest:' .. subscriber .. ':' .. channel), id)
else
  if held[1] == 'sent' then redis.call('HSET', delivery, 'repeat', '1') end
  redis.call('HSET', delivery, 'replay', '1')
  redis.call('EXPIRE', delivery, ARGV[5])
  redis.call('ZADD', key('lane:' .. channel), stamp(now), id)
end
if redis.call('HEXISTS', key('lanes:owner'), channel) == 0 then offer_lane(channel, now) end
return 'done'
