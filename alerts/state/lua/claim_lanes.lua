-- ARGV: prefix, owner, batch, lease_s, probe, lanes n, (channel, buckets k, (bucket, per_s, burst) * k) * n.
-- Takes of each lane what its buckets allow now; one that must wait is offered again when it may go on, and costs nothing.
-- Answers rows of channel id, Breaker or '', then (delivery id, its hash) pairs.
local owner, batch, lease, probe = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local filled = {}

-- A bucket as of now: its tokens have grown back, at most to its burst.
local function fill(name, per_s, burst)
  local bucket = filled[name]
  if bucket then return bucket end
  local held = redis.call('HMGET', key('bucket:' .. name), 'tokens', 'at', 'rest', 'tail')
  local tokens = burst
  if held[1] then tokens = math.min(burst, tonumber(held[1]) + math.max(0, now - tonumber(held[2])) * per_s) end
  bucket = {tokens = tokens, per_s = per_s, burst = burst, rest = tonumber(held[3] or '0'), tail = tonumber(held[4] or '0')}
  filled[name] = bucket
  return bucket
end

-- When the lane may go on. One that waits for the first time stands in line, one each 1 / per_s; one that waited keeps its place.
local function next_turn(channel, buckets)
  local is_new = redis.call('SADD', key('lanes:waiting'), channel) == 1
  local at = now
  for _, bucket in ipairs(buckets) do
    local free = math.max(bucket.rest, now + (1 - bucket.tokens) / bucket.per_s)
    if free > now then
      if is_new then
        bucket.tail = math.max(bucket.tail + 1 / bucket.per_s, free)
        free = bucket.tail
      end
      at = math.max(at, free)
    end
  end
  return at
end

local function take(channel, most)
  local row = {channel, redis.call('HGET', key('breakers'), channel) or ''}
  if row[2] ~= '' then most = math.min(most, probe) end
  local lane = key('lane:' .. channel)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', lane, '-inf', stamp(now), 'LIMIT', 0, most)) do
    local delivery = key('delivery:' .. id)
    local hash, place = redis.call('HGETALL', delivery), {}
    for f = 1, #hash, 2 do place[hash[f]] = f + 1 end
    if place.status then
      local changes = {'status', 'sending', 'owner', owner, 'attempts', (hash[place.attempts or 0] or 0) + 1}
      if hash[place.status] == 'sending' then add(changes, 'repeat', '1') end
      redis.call('HSET', delivery, unpack(changes))
      for c = 1, #changes, 2 do
        if place[changes[c]] then
          hash[place[changes[c]]] = tostring(changes[c + 1])
        else
          add(hash, changes[c], tostring(changes[c + 1]))
        end
      end
      row[#row + 1] = {id, hash}
    else
      redis.call('ZREM', lane, id)
    end
  end
  return row
end

-- What is asked for: each lane's channel, and the buckets it is counted in.
local channels, asked, at = {}, {}, 6
for i = 1, tonumber(ARGV[6]) do
  local buckets = {}
  channels[i] = ARGV[at + 1]
  at = at + 2
  for b = 1, tonumber(ARGV[at]) do
    buckets[b] = fill(ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]))
    at = at + 3
  end
  asked[i] = buckets
end
local owners = on_all('HMGET', 'lanes:owner', channels)
local urgent, plain = on_all('ZMSCORE', 'lanes:urgent', channels), on_all('ZMSCORE', 'lanes', channels)

local rows, taken, leases, untils, served, empty, waited = {}, {}, {}, {}, {}, {}, {}
for i, channel in ipairs(channels) do
  local due, buckets, most = urgent[i] or plain[i], asked[i], batch
  for _, bucket in ipairs(buckets) do
    most = math.min(most, bucket.rest > now and 0 or math.floor(bucket.tokens + 0.000001))
  end
  if due and tonumber(due) <= now and not owners[i] then
    if most < 1 then
      offer_lane(channel, next_turn(channel, buckets))
    else
      local row = take(channel, most)
      if #row > 2 then
        for _, bucket in ipairs(buckets) do bucket.tokens = bucket.tokens - (#row - 2) end
        if #buckets > 0 then add(waited, channel) end
        add(taken, channel)
        add(served, channel, owner)
        add(untils, stamp(now + lease), channel)
        add(leases, 'lane:' .. channel)
        add(rows, row)
      else
        add(empty, channel)
      end
    end
  end
end
on_all('ZREM', 'lanes', taken)
on_all('ZREM', 'lanes:urgent', taken)
on_all('HSET', 'lanes:owner', served)
on_all('ZADD', 'lanes:until', untils)
on_all('SADD', 'leases:' .. owner, leases)
on_all('SREM', 'lanes:waiting', waited)
offer_lanes(empty, 0)
for name, bucket in pairs(filled) do
  local bucket_key = key('bucket:' .. name)
  redis.call('HSET', bucket_key, 'tokens', bucket.tokens, 'at', stamp(now), 'tail', stamp(bucket.tail))
  local until_full = math.max(bucket.burst / bucket.per_s, bucket.rest - now, bucket.tail - now)
  redis.call('EXPIRE', bucket_key, math.ceil(until_full) + 60)
end
return rows
