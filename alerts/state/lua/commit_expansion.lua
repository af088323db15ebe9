-- ARGV: prefix, bell, expected cursor, cursor, keep_s, alerts n, (id, subscriber, Alert, rules n, rule * n) * n,
-- deliveries n, (id, alert, channel, Delivery) * n. Ids that exist are not written again.
local bell, expected, cursor, keep = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local held = redis.call('HGET', key('bell:' .. bell), 'cursor')
if held ~= expected then
  if held == cursor then return 'already' end
  return 'stale'
end
local at = 6
for i = 1, tonumber(ARGV[6]) do
  local id, subscriber, json, rules = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
  at = at + 4
  local alert = key('alert:' .. id)
  if redis.call('HSETNX', alert, 'json', json) == 1 then
    redis.call('EXPIRE', alert, keep)
    redis.call('ZADD', key('alerts:' .. subscriber), stamp(now), id)
    count('alerts')
  end
  for r = 1, rules do redis.call('HSET', alert, 'rule:' .. ARGV[at + r], '1') end
  at = at + rules
end
at = at + 1
for i = 1, tonumber(ARGV[at]) do
  local id, alert, channel, json = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  at = at + 4
  local delivery = key('delivery:' .. id)
  if redis.call('HSETNX', delivery, 'json', json) == 1 then
    redis.call('HSET', delivery, 'status', 'pending', 'attempts', 0, 'due', stamp(now))
    redis.call('EXPIRE', delivery, keep)
    redis.call('ZADD', key('deliveries'), stamp(now), id)
    redis.call('SADD', key('delivered:' .. alert), id)
    redis.call('EXPIRE', key('delivered:' .. alert), keep)
    redis.call('ZADD', key('lane:' .. channel), stamp(now), id)
    if redis.call('HEXISTS', key('lanes:owner'), channel) == 0 then
      offer_lane(channel, 0)
    end
    count('deliveries')
  end
end
redis.call('HSET', key('bell:' .. bell), 'cursor', cursor)
if cursor == '' then redis.call('ZREM', key('fanouts'), bell) end
return 'done'
