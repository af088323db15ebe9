-- ARGV: prefix, owner, lease_s. Answers fence, rules version, run id of the store; nothing while another holds it.
-- The fence is a time: it grows through a torn log, where a counter would go back.
local owner, lease = ARGV[2], tonumber(ARGV[3])
local held = redis.call('HMGET', key('sifter'), 'owner', 'fence', 'until')
local ms = math.floor(now * 1000)
if held[1] and held[1] ~= owner and tonumber(held[3]) > ms then return {} end
local fence = tonumber(held[2] or '0')
if held[1] ~= owner then fence = math.max(fence + 1, ms) end
redis.call('HSET', key('sifter'), 'owner', owner, 'fence', string.format('%d', fence), 'until', string.format('%d', ms + lease * 1000))
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
return {string.format('%d', fence), redis.call('GET', key('rules:version')) or '0', run or ''}
