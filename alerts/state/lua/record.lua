-- ARGV: prefix, owner, verdicts n, (delivery, channel, status, attempts, reason, due, repeat (0|1), sent, tried,
-- keeps place (0|1)) * n. What keeps its place stays where it is in its lane; else it stands where its due time puts it.
local owner, answers, counts = ARGV[2], {}, {}

local function write(at)
  local id, channel, status, due = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 5]
  local delivery = key('delivery:' .. id)
  local held = redis.call('HMGET', delivery, 'status', 'owner')
  if held[2] ~= owner then return 'stale' end
  if held[1] ~= 'sending' then return held[1] == status and 'already' or 'stale' end
  redis.call('HSET', delivery, 'status', status, 'attempts', ARGV[at + 3], 'reason', ARGV[at + 4], 'due', due,
    'repeat', ARGV[at + 6], 'sent', ARGV[at + 7], 'tried', ARGV[at + 8])
  if status ~= 'pending' and status ~= 'retry' then
    redis.call('ZREM', key('lane:' .. channel), id)
  elseif ARGV[at + 9] == '0' then
    redis.call('ZADD', key('lane:' .. channel), due, id)
  end
  counts[status] = (counts[status] or 0) + 1
  return 'done'
end

for i = 1, tonumber(ARGV[3]) do answers[i] = write(4 + (i - 1) * 10) end
for status, by in pairs(counts) do count('delivery_' .. status, by) end
return answers
