-- What every script begins with: the prefix, the clock, and the leases.
local prefix = ARGV[1]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local function key(name) return prefix .. name end
-- To the microsecond: what is written one after the other stays in that order.
local function stamp(seconds) return string.format('%.6f', seconds) end
local function count(name, by) redis.call('HINCRBY', key('counters'), name, by or 1) end

-- In a lane, urgent deliveries stand before all others: their due times are this much lower, and so negative.
local URGENT = 10000000000

local function add(list, one, two)
  list[#list + 1] = one
  if two then list[#list + 1] = two end
end

-- One command on as many members as the list holds; nothing when it is empty.
local function on_all(command, name, list)
  if #list > 0 then return redis.call(command, key(name), unpack(list)) end
end

-- These lanes may be claimed: each is due when its first delivery is, but not before `earliest`, nor while it rests. A lane
-- stands with the urgent ones when its first delivery is urgent. At most a few hundred at once.
local function offer_lanes(channels, earliest)
  local rests = on_all('ZMSCORE', 'lanes:rest', channels)
  local here, there, not_here, not_there = {}, {}, {}, {}
  for i, channel in ipairs(channels) do
    local first = redis.call('ZRANGE', key('lane:' .. channel), 0, 0, 'WITHSCORES')
    local due = first[2] and tonumber(first[2])
    local at = due and stamp(math.max(due < 0 and due + URGENT or due, earliest, tonumber(rests[i] or '0')))
    if due and due < 0 then add(there, at, channel) else add(not_there, channel) end
    if due and due >= 0 then add(here, at, channel) else add(not_here, channel) end
  end
  on_all('ZADD', 'lanes', here)
  on_all('ZADD', 'lanes:urgent', there)
  on_all('ZREM', 'lanes', not_here)
  on_all('ZREM', 'lanes:urgent', not_there)
end

local function offer_lane(channel, earliest) offer_lanes({channel}, earliest) end

-- Deliveries were put into these lanes: offer each, unless somebody serves it or it is offered as well already.
local function offer_for(channels, is_urgent)
  if #channels == 0 then return end
  local owners, found = on_all('HMGET', 'lanes:owner', channels), {}
  local urgent, plain = on_all('ZMSCORE', 'lanes:urgent', channels), on_all('ZMSCORE', 'lanes', channels)
  for i, channel in ipairs(channels) do
    local offered = urgent[i] or (not is_urgent and plain[i])
    if not owners[i] and (not offered or tonumber(offered) > now) then add(found, channel) end
  end
  offer_lanes(found, now)
end

local function end_lane_lease(channel, owner)
  redis.call('HDEL', key('lanes:owner'), channel)
  redis.call('ZREM', key('lanes:until'), channel)
  redis.call('SREM', key('leases:' .. owner), 'lane:' .. channel)
end

local function end_source_lease(source, owner)
  if redis.call('HGET', key('lease:source'), source) == owner then
    redis.call('HDEL', key('lease:source'), source)
  end
  redis.call('SREM', key('leases:' .. owner), 'source:' .. source)
end

-- Bells to be expanded, from ARGV[at] on: how many, then id and JSON of each. One that is there is not written again.
local function keep_bells(at, keep)
  for i = 1, tonumber(ARGV[at]) do
    local bell = key('bell:' .. ARGV[at + 2 * i - 1])
    if redis.call('EXISTS', bell) == 0 then
      redis.call('HSET', bell, 'json', ARGV[at + 2 * i], 'cursor', '0:')
      redis.call('EXPIRE', bell, keep)
      redis.call('ZADD', key('fanouts'), string.format('%.6f', now + i / 1000000), ARGV[at + 2 * i - 1])
      count('bells')
    end
  end
end

-- A delivery that waits, held or in a digest, is told along by another one.
local function carry(id, by, channel)
  local delivery = key('delivery:' .. id)
  local held = redis.call('HMGET', delivery, 'status', 'digest')
  if held[1] ~= 'held' then return end
  redis.call('HSET', delivery, 'status', 'digested', 'reason', 'told by ' .. by, 'carried', by)
  redis.call('ZREM', key('lane:' .. channel), id)
  if held[2] then redis.call('ZREM', key('digest:' .. held[2]), id) end
end
