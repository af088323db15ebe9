-- ARGV: prefix, entry id, fence, story id, expected revision, Story, last item's Unix seconds, bell id ('' = none),
-- Bell, item id, Tagged, stage, archive length, keep_s.
local entry, fence, story, expected = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if redis.call('HGET', key('sifter'), 'fence') ~= fence then return 'stale' end
local waiting = redis.call('XPENDING', key('items'), 'sift', entry, entry, 1)
if #waiting == 0 then return 'already' end
local at = key('story:' .. story)
if tonumber(redis.call('HGET', at, 'rev') or '0') ~= expected then return 'stale' end
redis.call('HSET', at, 'rev', expected + 1, 'json', ARGV[6])
redis.call('ZADD', key('stories'), ARGV[7], story)
if ARGV[8] ~= '' and redis.call('EXISTS', key('bell:' .. ARGV[8])) == 0 then
  redis.call('HSET', key('bell:' .. ARGV[8]), 'json', ARGV[9], 'cursor', '0:')
  redis.call('EXPIRE', key('bell:' .. ARGV[8]), ARGV[14])
  redis.call('ZADD', key('fanouts'), stamp(now), ARGV[8])
  count('bells')
end
local kept = redis.call('XADD', key('archive'), 'MAXLEN', '~', ARGV[13], '*', 'j', ARGV[11], 's', story, 'w', ARGV[12])
redis.call('HSET', key('archive:ids'), ARGV[10], kept)
redis.call('XACK', key('items'), 'sift', entry)
redis.call('HDEL', key('items:claims'), entry)
count('sifted')
return 'done'
