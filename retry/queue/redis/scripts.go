package redis

import "github.com/redis/go-redis/v9"

// Each script runs as one step in Redis, with Redis' clock. KEYS[1] is the prefix of
// all keys; with a hash tag they are on one node of a cluster:
//
//	job:ID        hash     the job: j and p never change, the others do
//	ready:QUEUE   zset     pending and due, by the order of arrival
//	later:QUEUE   zset     pending and not due, by when they are, in ms
//	running:QUEUE zset     by the end of the lease, in ms
//	done:QUEUE    zset     by when the result is deleted, in ms
//	dead:QUEUE    zset     by the order of arrival
//	unique        hash     unique key -> id of the live job
//	group:ID      hash     what is known of a group
//	wake:QUEUE    list     a token for each job, 64 at most, for workers that wait
//	count:QUEUE   hash     seq: entries of ready; added: jobs that came for later; again:
//	                       entries of ready that were not new jobs; finished, failed,
//	                       buried
//	queues, slots
//
// A field of a job that is empty or 0 is left out: each write is one more line of
// Redis' log.
const prelude = `
local P = KEYS[1]
local T = redis.call('TIME')
local now = T[1] * 1000 + math.floor(T[2] / 1000)
local function count(q, what) return redis.call('HINCRBY', P .. 'count:' .. q, what, 1) end
local function get(id, ...)
  local v = redis.call('HMGET', P .. 'job:' .. id, ...)
  for i = 1, #v do v[i] = v[i] or '' end
  return v
end
local function set(id, ...) redis.call('HSET', P .. 'job:' .. id, ...) end

local function wake(q)
  if redis.call('LLEN', P .. 'wake:' .. q) < 64 then redis.call('RPUSH', P .. 'wake:' .. q, '1') end
end

-- Puts a job in ready, and reports whether it is the queue's first.
local function arrive(id, q)
  local n = count(q, 'seq')
  redis.call('ZADD', P .. 'ready:' .. q, n, id)
  wake(q)
  return n == 1
end

-- Puts a job that is not new where it waits.
local function pend(id, q, ms)
  if ms > now then
    redis.call('ZADD', P .. 'later:' .. q, ms, id)
  else
    count(q, 'again')
    arrive(id, q)
  end
end

-- Puts a new job where it waits.
local function enter(id, q, ms)
  local first
  if ms > now then
    first = count(q, 'added') == 1
    redis.call('ZADD', P .. 'later:' .. q, ms, id)
  else
    first = arrive(id, q)
  end
  if first then redis.call('SADD', P .. 'queues', q) end
end

local function release(id, u)
  if u ~= '' and redis.call('HGET', P .. 'unique', u) == id then redis.call('HDEL', P .. 'unique', u) end
end

local function taken(id, u, ids, keys)
  if redis.call('EXISTS', P .. 'job:' .. id, P .. 'group:' .. id) > 0 or (ids and ids[id]) then return {'', id} end
  if u ~= '' then
    local other = redis.call('HGET', P .. 'unique', u) or (keys and keys[u])
    if other then return {u, other} end
  end
  if ids then
    ids[id] = true
    if u ~= '' then keys[u] = id end
  end
  return nil
end

-- A job is eleven arguments from i on: see args.
local function add(i)
  local id, q, u, ms = ARGV[i], ARGV[i+1], ARGV[i+2], tonumber(ARGV[i+5])
  local row = {'j', ARGV[i+3], 'p', ARGV[i+4], 'runat', ARGV[i+6], 'maxl', ARGV[i+7], 'keep', ARGV[i+8], 'q', q, 'state', '1'}
  local n = #row
  if u ~= '' then
    row[n+1], row[n+2], n = 'u', u, n + 2
    redis.call('HSET', P .. 'unique', u, id)
  end
  if ARGV[i+9] ~= '' then row[n+1], row[n+2], row[n+3], row[n+4] = 'g', ARGV[i+9], 'gi', ARGV[i+10] end
  set(id, unpack(row))
  enter(id, q, ms)
end

-- Groups are seven arguments each, after the jobs.
local function batch(i)
  local jobs, groups = tonumber(ARGV[i]), tonumber(ARGV[i+1])
  local ids, keys = {}, {}
  for k = 0, jobs - 1 do
    local bad = taken(ARGV[i+2+k*11], ARGV[i+2+k*11+2], ids, keys)
    if bad then return bad end
  end
  local at = i + 2 + jobs * 11
  for k = 0, groups - 1 do
    local bad = taken(ARGV[at+k*7], '', ids, keys)
    if bad then return bad end
  end
  for k = 0, groups - 1 do
    local g = at + k * 7
    redis.call('HSET', P .. 'group:' .. ARGV[g], 'total', ARGV[g+1], 'q', ARGV[g+2], 'j', ARGV[g+3], 'p', ARGV[g+4], 'maxl', ARGV[g+5], 'keep', ARGV[g+6])
  end
  for k = 0, jobs - 1 do add(i + 2 + k * 11) end
  return nil
end

local function held(id, number)
  local v = get(id, 'state', 'lease', 'q', 'u', 'keep', 'g', 'gi')
  if v[1] ~= '2' or v[2] ~= number then return nil end
  return v
end

local function bury(id, q, u, reason, err, class)
  set(id, 'state', '4', 'reason', reason, 'err', err, 'class', class, 'fin', now, 'worker', '', 'lend', '0')
  redis.call('ZADD', P .. 'dead:' .. q, count(q, 'buried'), id)
  release(id, u)
end
`

func script(body string) *redis.Script { return redis.NewScript(prelude + body) }

var (
	addScript = script(`return batch(1)`)

	slotScript = script(`
local last = redis.call('HGET', P .. 'slots', ARGV[1])
local slot = ARGV[2]
if last and (#slot < #last or (#slot == #last and slot <= last)) then return {'old'} end
local bad = batch(3)
if bad then return bad end
redis.call('HSET', P .. 'slots', ARGV[1], slot)
return nil`)

	claimScript = script(`
local rows = {}
for i = 4, #ARGV do
  local q = ARGV[i]
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'later:' .. q, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', P .. 'later:' .. q, id)
    redis.call('ZADD', P .. 'ready:' .. q, count(q, 'seq'), id)
    count(q, 'again')
  end
  local most = tonumber(ARGV[3]) - #rows
  local first = most > 0 and redis.call('ZPOPMIN', P .. 'ready:' .. q, most) or {}
  for k = 1, #first, 2 do
    local id, lend = first[k], now + tonumber(ARGV[2])
    redis.call('HINCRBY', P .. 'job:' .. id, 'lease', 1)
    set(id, 'state', '2', 'worker', ARGV[1], 'lend', lend)
    redis.call('ZADD', P .. 'running:' .. q, lend, id)
    local row = redis.call('HGETALL', P .. 'job:' .. id)
    row[#row+1] = 'id'
    row[#row+1] = id
    rows[#rows+1] = row
  end
end
return rows`)

	renewScript = script(`
local lost = {}
for i = 2, #ARGV, 2 do
  local v = held(ARGV[i], ARGV[i+1])
  if v then
    set(ARGV[i], 'lend', now + tonumber(ARGV[1]))
    redis.call('ZADD', P .. 'running:' .. v[3], now + tonumber(ARGV[1]), ARGV[i])
  else
    lost[#lost+1] = (i - 2) / 2
  end
end
return lost`)

	// ARGV: id, lease, state, ms, runat, failed, error, class, reason, result, then the
	// next job as eleven arguments, or nothing.
	finishScript = script(`
local id, state = ARGV[1], ARGV[3]
local v = held(id, ARGV[2])
if not v then return {'lost'} end
local q, u, keep, g, gi = v[3], v[4], tonumber(v[5]), v[6], v[7]
if #ARGV > 10 then
  local bad = taken(ARGV[11], ARGV[13])
  if bad then return bad end
end
redis.call('ZREM', P .. 'running:' .. q, id)
if ARGV[6] == '1' then
  redis.call('HINCRBY', P .. 'job:' .. id, 'fails', 1)
  count(q, 'failed')
end
if state == '1' then
  set(id, 'state', '1', 'runat', ARGV[5], 'err', ARGV[7], 'class', ARGV[8], 'worker', '', 'lend', '0')
  pend(id, q, tonumber(ARGV[4]))
  return nil
end
if state == '4' then
  bury(id, q, u, ARGV[9], ARGV[7], ARGV[8])
  return nil
end
count(q, 'finished')
release(id, u)
if keep > 0 then
  set(id, 'state', '3', 'result', ARGV[10], 'fin', now, 'err', '', 'class', '', 'worker', '', 'lend', '0')
  redis.call('ZADD', P .. 'done:' .. q, now + keep, id)
else
  redis.call('DEL', P .. 'job:' .. id)
end
if #ARGV > 10 then
  add(11)
  return nil
end
local gk = P .. 'group:' .. g
if g ~= '' and redis.call('EXISTS', gk) == 1 then
  redis.call('HSET', gk, 'r' .. gi, ARGV[10])
  local n = redis.call('HINCRBY', gk, 'n', 1)
  local x = redis.call('HMGET', gk, 'total', 'q', 'j', 'p', 'maxl', 'keep')
  local total = tonumber(x[1])
  if n >= total then
    local payload = x[4]
    if payload == '' then
      local list = {}
      for k = 0, total - 1 do
        local r = redis.call('HGET', gk, 'r' .. k)
        if not r or r == '' then r = 'null' end
        list[#list+1] = r
      end
      payload = '[' .. table.concat(list, ',') .. ']'
    end
    redis.call('DEL', gk)
    local t = now * 1000
    set(g, 'j', x[3], 'p', payload, 'runat', string.format('%.0f', t) .. '000', 'maxl', x[5], 'keep', x[6], 'q', x[2], 'state', '1')
    enter(g, x[2], now)
  end
end
return nil`)

	reportScript = script(`
if not held(ARGV[1], ARGV[2]) then return {'lost'} end
set(ARGV[1], 'progress', ARGV[3])
return nil`)

	recoverScript = script(`
local n = 0
for _, q in ipairs(redis.call('SMEMBERS', P .. 'queues')) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'running:' .. q, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', P .. 'running:' .. q, id)
    local v = get(id, 'maxl', 'u', 'worker')
    local losses = redis.call('HINCRBY', P .. 'job:' .. id, 'losses', 1)
    local words = 'the worker ' .. v[3] .. ' was lost'
    count(q, 'failed')
    if losses >= tonumber(v[1]) then
      bury(id, q, v[2], ARGV[1], words, '')
    else
      set(id, 'state', '1', 'err', words, 'worker', '', 'lend', '0')
      pend(id, q, now)
    end
    n = n + 1
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'done:' .. q, '-inf', now, 'LIMIT', 0, 1000)) do
    redis.call('ZREM', P .. 'done:' .. q, id)
    redis.call('DEL', P .. 'job:' .. id)
  end
end
return n`)

	redriveScript = script(`
local id = ARGV[1]
local v = get(id, 'state', 'q', 'u')
if v[1] ~= '4' then return {'none'} end
if v[3] ~= '' then
  local other = redis.call('HGET', P .. 'unique', v[3])
  if other then return {v[3], other} end
  redis.call('HSET', P .. 'unique', v[3], id)
end
redis.call('ZREM', P .. 'dead:' .. v[2], id)
set(id, 'state', '1', 'reason', '0', 'fails', '0', 'losses', '0', 'runat', ARGV[2], 'fin', '0')
pend(id, v[2], now)
return nil`)

	deleteScript = script(`
local id = ARGV[1]
local v = get(id, 'state', 'q', 'u', 'g')
if v[1] == '' or v[1] == '2' then return {'none'} end
for _, list in ipairs({'ready:', 'later:', 'done:', 'dead:'}) do redis.call('ZREM', P .. list .. v[2], id) end
if v[1] == '1' then release(id, v[3]) end
if v[4] ~= '' and v[1] ~= '3' then redis.call('DEL', P .. 'group:' .. v[4]) end
redis.call('DEL', P .. 'job:' .. id)
return nil`)

	statsScript = script(`
local out = {}
local names = redis.call('SMEMBERS', P .. 'queues')
table.sort(names)
for _, q in ipairs(names) do
  local due = redis.call('ZCOUNT', P .. 'later:' .. q, '-inf', now)
  local first = redis.call('ZRANGE', P .. 'ready:' .. q, 0, 0)[1] or redis.call('ZRANGEBYSCORE', P .. 'later:' .. q, '-inf', now, 'LIMIT', 0, 1)[1]
  local c = redis.call('HMGET', P .. 'count:' .. q, 'seq', 'finished', 'failed', 'added', 'again')
  local added = (tonumber(c[1]) or 0) + (tonumber(c[4]) or 0) - (tonumber(c[5]) or 0)
  out[#out+1] = {q, tostring(redis.call('ZCARD', P .. 'ready:' .. q) + due), tostring(redis.call('ZCARD', P .. 'later:' .. q) - due),
    tostring(redis.call('ZCARD', P .. 'running:' .. q)), tostring(redis.call('ZCARD', P .. 'done:' .. q)), tostring(redis.call('ZCARD', P .. 'dead:' .. q)),
    first and redis.call('HGET', P .. 'job:' .. first, 'runat') or '0', string.format('%.0f', added), c[2] or '0', c[3] or '0', tostring(now)}
end
return out`)
)
