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
    local status = redis.call('HGET', delivery, 'status')
    if status then
      if status == 'sending' then redis.call('HSET', delivery, 'repeat', '1') end
      redis.call('HINCRBY', delivery, 'attempts', 1)
      redis.call('HSET', delivery, 'status', 'sending', 'owner', owner)
      row[#row + 1] = {id, redis.call('HGETALL', delivery)}
    else
      redis.call('ZREM', lane, id)
    end
  end
  return row
end

local function is_due(channel)
  local at = redis.call('ZSCORE', key('lanes:urgent'), channel) or redis.call('ZSCORE', key('lanes'), channel)
  return at and tonumber(at) <= now and redis.call('HEXISTS', key('lanes:owner'), channel) == 0
end

local rows, at = {}, 6
for i = 1, tonumber(ARGV[6]) do
  local channel, buckets, most = ARGV[at + 1], {}, batch
  local k = tonumber(ARGV[at + 2])
  at = at + 2
  for b = 1, k do
    local bucket = fill(ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]))
    at = at + 3
    buckets[b] = bucket
    most = math.min(most, bucket.rest > now and 0 or math.floor(bucket.tokens + 0.000001))
  end
  if is_due(channel) then
    redis.call('ZREM', key('lanes'), channel)
    redis.call('ZREM', key('lanes:urgent'), channel)
    if most < 1 then
      offer_lane(channel, next_turn(channel, buckets))
    else
      local row = take(channel, most)
      if #row > 2 then
        for _, bucket in ipairs(buckets) do bucket.tokens = bucket.tokens - (#row - 2) end
        if k > 0 then redis.call('SREM', key('lanes:waiting'), channel) end
        redis.call('HSET', key('lanes:owner'), channel, owner)
        redis.call('ZADD', key('lanes:until'), stamp(now + lease), channel)
        redis.call('SADD', key('leases:' .. owner), 'lane:' .. channel)
        rows[#rows + 1] = row
      else
        offer_lane(channel, 0)
      end
    end
  end
end
for name, bucket in pairs(filled) do
  local bucket_key = key('bucket:' .. name)
  redis.call('HSET', bucket_key, 'tokens', bucket.tokens, 'at', stamp(now), 'tail', stamp(bucket.tail))
  local until_full = math.max(bucket.burst / bucket.per_s, bucket.rest - now, bucket.tail - now)
  redis.call('EXPIRE', bucket_key, math.ceil(until_full) + 60)
end
return rows
