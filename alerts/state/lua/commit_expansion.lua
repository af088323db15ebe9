-- ARGV: prefix, bell, expected cursor, cursor, keep_s, urgent (0|1), alerts n, (id, subscriber, Alert, rules n, rule * n) * n,
-- deliveries n, (id, alert, channel, Delivery) * n. Ids that exist are not written again. A part of a chunk leaves the
-- cursor as it is; the last one moves it, so that a chunk of which only some parts were written is written once more.
local bell, expected, cursor, keep, is_urgent = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
local held = redis.call('HGET', key('bell:' .. bell), 'cursor')
if held ~= expected then
  if held == cursor then return 'already' end
  return 'stale'
end
local at, alerts, moment = 7, 0, stamp(now)
local place = is_urgent and stamp(now - URGENT) or moment
for i = 1, tonumber(ARGV[7]) do
  local id, subscriber, json, rules = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
  at = at + 4
  local alert, fields = key('alert:' .. id), {}
  for r = 1, rules do add(fields, 'rule:' .. ARGV[at + r], '1') end
  if redis.call('HSETNX', alert, 'json', json) == 1 then
    redis.call('EXPIRE', alert, keep)
    redis.call('ZADD', key('alerts:' .. subscriber), moment, id)
    alerts = alerts + 1
  end
  if rules > 0 then redis.call('HSET', alert, unpack(fields)) end
  at = at + rules
end
at = at + 1
local written, channels, known = {}, {}, {}
for i = 1, tonumber(ARGV[at]) do
  local id, alert, channel, json = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  at = at + 4
  local delivery, delivered = key('delivery:' .. id), key('delivered:' .. alert)
  if redis.call('HSETNX', delivery, 'json', json) == 1 then
    redis.call('HSET', delivery, 'status', 'pending', 'attempts', 0, 'due', moment, 'queued', moment)
    redis.call('EXPIRE', delivery, keep)
    if redis.call('SADD', delivered, id) == 1 then redis.call('EXPIRE', delivered, keep) end
    redis.call('ZADD', key('lane:' .. channel), place, id)
    add(written, moment, id)
    if not known[channel] then add(channels, channel) end
    known[channel] = true
  end
end
on_all('ZADD', 'deliveries', written)
offer_for(channels, is_urgent)
if alerts > 0 then count('alerts', alerts) end
if #written > 0 then count('deliveries', #written / 2) end
if cursor ~= expected then
  redis.call('HSET', key('bell:' .. bell), 'cursor', cursor)
  if cursor == '' then redis.call('ZREM', key('fanouts'), bell) end
end
return 'done'
