-- ARGV: prefix, delivery id, to ('pending' = replay, 'dropped' = take back), reason, keep_s.
local id, to = ARGV[2], ARGV[3]
local delivery = key('delivery:' .. id)
local held = redis.call('HMGET', delivery, 'status', 'json', 'digest')
if not held[1] then return 'missing' end
local channel = cjson.decode(held[2])['channel_id']
local is_waiting = held[1] == 'pending' or held[1] == 'retry' or held[1] == 'held'
if held[1] == 'sending' or (to == 'dropped') ~= is_waiting then return held[1] end
redis.call('HSET', delivery, 'status', to, 'reason', ARGV[4], 'attempts', 0, 'due', stamp(now))
if to == 'dropped' then
  redis.call('ZREM', key('lane:' .. channel), id)
  if held[3] then redis.call('ZREM', key('digest:' .. held[3]), id) end
else
  if held[1] == 'sent' then redis.call('HSET', delivery, 'repeat', '1') end
  redis.call('HSET', delivery, 'replay', '1')
  redis.call('EXPIRE', delivery, ARGV[5])
  redis.call('ZADD', key('lane:' .. channel), stamp(now), id)
end
if redis.call('HEXISTS', key('lanes:owner'), channel) == 0 then offer_lane(channel, now) end
return 'done'
