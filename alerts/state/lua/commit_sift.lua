-- ARGV: prefix, entry id, fence, story id, expected revision, Story, last item's Unix seconds, item id, Tagged, stage,
-- archive length, keep_s, bells n, (id, Bell) * n.
local entry, fence, story, expected = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if redis.call('HGET', key('sifter'), 'fence') ~= fence then return 'stale' end
local waiting = redis.call('XPENDING', key('items'), 'sift', entry, entry, 1)
if #waiting == 0 then return 'already' end
local at = key('story:' .. story)
if tonumber(redis.call('HGET', at, 'rev') or '0') ~= expected then return 'stale' end
redis.call('HSET', at, 'rev', expected + 1, 'json', ARGV[6])
redis.call('ZADD', key('stories'), ARGV[7], story)
keep_bells(13, ARGV[12])
local kept = redis.call('XADD', key('archive'), 'MAXLEN', '~', ARGV[11], '*', 'j', ARGV[9], 's', story, 'w', ARGV[10])
redis.call('HSET', key('archive:ids'), ARGV[8], kept)
redis.call('XACK', key('items'), 'sift', entry)
redis.call('HDEL', key('items:claims'), entry)
count('sifted')
return 'done'
