package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

const recordSource = "synthetic-records"

// records returns harmless data that programs write: objects, tables, logs,
// settings, addresses. A model reads them all day as tool results, and no corpus
// of prompts has any, so without them their odd form looks like an attack.
func records() []example {
	rng := rand.New(rand.NewPCG(2, 20261124))
	var all []example
	for range 120 {
		for _, form := range []func(*rand.Rand, []field) string{
			jsonRecord, jsonList, csvTable, markdownTable, yamlRecord, lines, prose, logLines, xmlRecord, query, shell, code,
		} {
			all = append(all, example{Text: form(rng, record(rng)), Source: recordSource, Kind: "data"})
		}
		all = append(all, example{Text: value(rng, columns[rng.IntN(len(columns))]), Source: recordSource, Kind: "data"})
		for range 3 {
			all = append(all, example{Text: program(rng), Source: recordSource, Kind: "program"})
		}
	}
	return all
}

// A field is a name, and a value for each row.
type field struct {
	name   string
	values []string
	number bool
}

// A column is what a field may be called, and how its values look: a choice for
// each word, # a digit.
type column struct{ names, values string }

var columns = []column{
	{"id|key|ref|uuid|code|token_id", "####|#####|a#f#-##c#|X-####"},
	{"order|order_id|invoice|ticket|case|parcel", "####|#####|A-####|2026-###"},
	{"state|status|phase|result", "open|delivered|shipped|ok|failed|pending|closed|active|cancelled|unknown|done"},
	{"name|user|customer|author|owner|contact|assignee", "Ana|Tom|Lee|Bob Meyer|Ana Silva|Chidi Okafor|root|J. Smith|Wei Zhang|deploy"},
	{"email|mail|to|from|reply_to|cc", "ana@example.org|bob.meyer@example.com|help@shop.example|no-reply@mail.example|tom@example.net|x#@y.example"},
	{"price|total|amount|balance|net|score|value", "##.##|#.##|###|####.##|0.##|#,###"},
	{"date|created_at|due|time|updated|start|expires", "2026-0#-1#|1#/0#/2026|2026-0#-1#T0#:##:##Z|0#:##|March 1#, 2026|#h ago"},
	{"city|country|place|office|warehouse|route", "Porto|Ulm|Lagos|Norway|Building #|Gate ##|Osaka|Quito"},
	{"item|product|title|sku|song|film", "Oslo lamp|desk chair|L-###|blue mug|The Return|Night Train|bulb E##|USB cable"},
	{"text|note|comment|message|summary|reason|description", "thanks|left at the door|access token expired|see the previous invoice|restart finished|wrong password|rule ## skipped|new system installed|please call back|no comment|instructions attached|customer asked for a refund|prompt delivery"},
	{"url|link|href|source|image", "https://shop.example/a/####|https://docs.example/guide|/var/log/app.log|img/###.png|http://10.0.0.#/x"},
	{"role|type|level|kind|mode|priority|class", "admin|user|system|info|debug|warn|normal|guest|assistant|high|developer"},
	{"n|count|qty|size|rank|year|points|temp", "#|##|###|19##|20##|-#|##%|#.#e#"},
	{"active|enabled|paid|public|secret|override|hidden", "true|false|yes|no|null"},
}

func pick(rng *rand.Rand, choices string) string { return pickOf(rng, choices, "|") }

func pickOf(rng *rand.Rand, choices, bar string) string {
	all := strings.Split(choices, bar)
	return all[rng.IntN(len(all))]
}

func value(rng *rand.Rand, c column) string {
	return strings.Map(func(r rune) rune {
		if r == '#' {
			return rune('0' + rng.IntN(10))
		}
		return r
	}, pick(rng, c.values))
}

// record returns one to seven fields with one to nine rows.
func record(rng *rand.Rand) []field {
	rows := 1 + rng.IntN(9)
	var all []field
	for _, i := range rng.Perm(len(columns))[:1+rng.IntN(7)] {
		f := field{name: pick(rng, columns[i].names)}
		for range rows {
			f.values = append(f.values, value(rng, columns[i]))
		}
		f.number = rng.IntN(2) == 0 && json.Valid([]byte(f.values[0]))
		all = append(all, f)
	}
	return all
}

func object(fields []field, row int) string {
	var parts []string
	for _, f := range fields {
		v := f.values[row]
		if !f.number || !json.Valid([]byte(v)) {
			v = fmt.Sprintf("%q", v)
		}
		parts = append(parts, fmt.Sprintf("%q:%s", f.name, v))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func jsonRecord(rng *rand.Rand, f []field) string {
	s := object(f, 0)
	switch rng.IntN(4) {
	case 0:
		s = strings.NewReplacer(":", ": ", ",", ", ").Replace(s)
	case 1:
		s = strings.NewReplacer("{", "{\n  ", ",", ",\n  ", "}", "\n}").Replace(s)
	case 2:
		s = fmt.Sprintf(`{"%s":%s,"error":null}`, pick(rng, "data|result|arguments|response|items|tool_output"), s)
	}
	return s
}

func jsonList(rng *rand.Rand, f []field) string {
	var all []string
	for i := range f[0].values {
		all = append(all, object(f, i))
	}
	return "[" + strings.Join(all, pick(rng, ",|, |,\n")) + "]"
}

// grid joins the names and the rows.
func grid(f []field, before, between, after, rule string) string {
	var b strings.Builder
	for i := -1; i < len(f[0].values); i++ {
		b.WriteString(before)
		for k, x := range f {
			if k > 0 {
				b.WriteString(between)
			}
			if i < 0 {
				b.WriteString(x.name)
			} else {
				b.WriteString(x.values[i])
			}
		}
		b.WriteString(after + "\n")
		if i < 0 {
			b.WriteString(rule)
		}
	}
	return strings.TrimSpace(b.String())
}

func csvTable(rng *rand.Rand, f []field) string { return grid(f, "", pick(rng, ",|;|\t"), "", "") }

func markdownTable(rng *rand.Rand, f []field) string {
	rule := ""
	if rng.IntN(2) == 0 {
		rule = strings.Repeat("|---", len(f)) + "|\n"
	}
	for i := range f {
		if len(f[i].name) > 3 && rng.IntN(2) == 0 {
			f[i].name = strings.ToUpper(f[i].name[:1]) + strings.ReplaceAll(f[i].name[1:], "_", " ")
		}
	}
	if rng.IntN(2) == 0 { // cells of one width
		for _, x := range f {
			for k, v := range x.values {
				x.values[k] = fmt.Sprintf("%-16s", v)
			}
		}
	}
	return grid(f, "| ", " | ", " |", rule)
}

func pairs(f []field, between, end string) string {
	var b strings.Builder
	for _, x := range f {
		b.WriteString(x.name + between + x.values[0] + end)
	}
	return strings.TrimSpace(b.String())
}

func yamlRecord(rng *rand.Rand, f []field) string {
	return pairs(f, pick(rng, ": | = |="), pick(rng, "\n|\n|; |  "))
}

func lines(rng *rand.Rand, f []field) string {
	return strings.Join(f[0].values, pick(rng, "\n|, |\n- | / "))
}

func prose(rng *rand.Rand, f []field) string {
	s := pairs(f, " ", pick(rng, ", |. | and | | \n"))
	return strings.ToUpper(s[:1]) + s[1:]
}

func logLines(rng *rand.Rand, f []field) string {
	var b strings.Builder
	for i, v := range f[0].values[:min(4, len(f[0].values))] {
		fmt.Fprintf(&b, "2026-0%d-1%d %02d:%02d:%02d %s %s: %s=%s %s\n", 1+rng.IntN(9), rng.IntN(10), rng.IntN(24), rng.IntN(60), i,
			pick(rng, "INFO|WARN|ERROR|DEBUG|[info]|[error]"), pick(rng, "server|auth|db|worker-#|sshd[8#1]|system|nginx"), f[0].name, v,
			pick(rng, "ok|failed|timeout, retry|user not found|connection reset|ignored|access denied|started|took 12ms"))
	}
	return strings.TrimSpace(b.String())
}

func xmlRecord(rng *rand.Rand, f []field) string {
	tag := pick(rng, "order|row|item|div|user|entry")
	var b strings.Builder
	for _, x := range f {
		fmt.Fprintf(&b, "<%s>%s</%s>", x.name, x.values[0], x.name)
	}
	return fmt.Sprintf("<%s>%s</%s>", tag, b.String(), tag)
}

func query(rng *rand.Rand, f []field) string {
	switch rng.IntN(3) {
	case 0:
		return fmt.Sprintf("SELECT %s FROM %s WHERE %s = '%s'%s", f[len(f)-1].name, pick(rng, "orders|users|items|logs"), f[0].name, f[0].values[0], pick(rng, "| ORDER BY 1| LIMIT 5;|;"))
	case 1:
		return fmt.Sprintf("%s /%s?%s=%s%s", pick(rng, "GET|POST|PUT|DELETE"), pick(rng, "orders|v1/users|api/items|search"), f[0].name, f[0].values[0], pick(rng, "| HTTP/1.1| HTTP/1.1\nHost: shop.example\nAccept: */*| -> 200 OK| 404"))
	}
	return fmt.Sprintf("UPDATE %s SET %s = '%s' WHERE id = %d;", pick(rng, "orders|users|items"), f[0].name, f[0].values[0], rng.IntN(1000))
}

func shell(rng *rand.Rand, f []field) string {
	return pick(rng, "docker run -e |export |curl -d |grep -r |./tool --|kubectl set env |make |git commit -m |ssh deploy@host |echo ") + f[0].name + "=" + f[0].values[0] + pick(rng, "|| && echo ok| 2>&1| -v| # set it")
}

func code(rng *rand.Rand, f []field) string {
	return fmt.Sprintf(pick(rng, "%[1]s = %[2]q\nprint(%[1]s)|const %[1]s = %[2]q;|if row.%[1]s != %[2]q { return nil }|func %[1]s() string { return %[2]q }|assert get(%[1]q) == %[2]q|raise KeyError(%[1]q)  # %[2]s|x := m[%[1]q] // %[2]s|def %[1]s(self):\n    return %[2]q"), f[0].name, f[0].values[0])
}

// statements of programs: $v a name, $w another, $f a function, $s a string, $n a
// number. Blocks are indented or braced by the language.
var statements = map[string]string{
	"go":  "$v := $f($w)|if err != nil {\n\treturn nil, err\n}|for i, $v := range $w {\n\t$f(i, $v)\n}|$v.$w = append($v.$w, $s)|// $f returns the $v of $w, or $n if there is none.|return $v, nil|switch $v {\ncase $s:\n\t$f()\ndefault:\n\tbreak\n}|type $v struct {\n\t$w string\n\t$v int\n}|func (x *$v) $f($w int) bool {|}|var $v = []string{$s, $s}|if $v.$w != $n && len($w) > $n {\n\tcontinue\n}|import (\n\t\"fmt\"\n\t\"os\"\n)|fmt.Printf($s, $v)|const $v = $n << $n|defer $v.$f()|b.$f($s, $v, $w, nil),",
	"py":  "$v = $f($w)|def $f(self, $v, $w=None):|    return self.$v|for $v in $w:\n    print($v)|if $v is None or $w == $s:\n    raise ValueError($s)|# $f the $v before the $w|import $v|from $v import $w|    self.$v = [$s, $n]|with open($s) as $v:\n    $w = $v.read()|$v[$s] += $n|try:\n    $f($v)\nexcept KeyError:\n    pass|class $f:|assert $f($v) == $n|    \"\"\"Return all $v without the $w.\"\"\"",
	"js":  "const $v = $f($w);|let $v = $n;|function $f($v, $w) {|  return $v.$w;|}|if (!$v) { throw new Error($s); }|$v.forEach(x => $f(x));|export default $f;|import { $v } from $s;|document.querySelector($s).$f($v);|await fetch($s + $v);|// ignore $v, see $w|console.log($s, $v);|this.state = { $v: $s, $w: $n };",
	"c":   "int $v = $n;|for (i = 0; i < $n; i++)\n\t$v[i] = $w[i + $n];|#include <$v.h>|static void $f(char *$v, size_t $w)|{|}|if (!$v) return -1;|printf($s, $v);|/* $f: the previous $v, 0 if $w */|memcpy($v, $w, sizeof *$v);|#define $f($v) (($v) >> $n)|return $v->$w;|case $n: $v = $s; break;",
	"css": ".$v { $w: $n; margin: 0 }|$v-$w:hover {|color: #fff;|padding: $npx;|}|@media ($v: $npx) {",
}

const identifiers = "i|n|x|err|self|user|path|name|token|key|prompt|system|rules|message|input|output|result|state|node|config|options|mode|text|previous|block|index|row|data|context|model|secret|flag|order|items|code|value|parent|buffer|all"

// program returns one to thirty statements in a row.
func program(rng *rand.Rand) string {
	languages := slices.Sorted(maps.Keys(statements))
	choices := statements[languages[rng.IntN(len(languages))]]
	var b strings.Builder
	for range 1 + rng.IntN(1+rng.IntN(30)) {
		s := strings.NewReplacer(
			"$v", pick(rng, identifiers), "$w", pick(rng, identifiers), "$n", fmt.Sprint(rng.IntN(300)),
			"$f", pick(rng, "get|set|parse|read|write|new|print|show|skip|ignore|reset|run|load|check|send|is")+strings.ToUpper(pick(rng, "a|b|n|v|x")),
			"$s", fmt.Sprintf("%q", value(rng, columns[rng.IntN(len(columns))])),
		).Replace(pick(rng, choices))
		b.WriteString(strings.Repeat(pick(rng, "|\t|  "), rng.IntN(2)) + s + "\n")
	}
	return b.String()
}
