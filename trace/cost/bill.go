package cost

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// ErrOverflow is wrapped by the error of a bill that int64 pico-USD cannot hold: above about
// nine million dollars.
var ErrOverflow = errors.New("cost: the bill overflows int64 pico-USD")

// ErrUnknownTier is wrapped by the error of a bill in a service tier whose prices
// are not known.
var ErrUnknownTier = errors.New("cost: the service tier is unknown")

// serviceTiers are the tiers that have prices, or are the standard ones.
var serviceTiers = []string{"", "auto", "default", "standard", "standard_only", "batches", "batch", "flex", "priority"}

// A Bill is the cost of a request and its parts, which add up to it. Input and
// Output are the plain text without the other parts.
type Bill struct {
	PicoUSD int64

	InputPicoUSD, CacheReadPicoUSD, CacheWrite5mPicoUSD, CacheWrite1hPicoUSD, AudioInPicoUSD, ImageInPicoUSD int64
	OutputPicoUSD, ReasoningPicoUSD, AudioOutPicoUSD, ImageOutPicoUSD                                        int64
}

// Bill returns what a request of a model costs in a service tier: "", "auto",
// "default" and "standard" are the standard prices; "batches" (or "batch"),
// "flex" and "priority" are the provider's tiers.
//
//  1. If the input is larger than a [Tier]'s threshold (for the provider "xai": not
//     smaller than it), the prices of the tier with the largest such threshold
//     replace the standard ones, for the whole request.
//  2. A price is the service tier's if it has one, else the standard one. If
//     neither has one: cache reads and writes and audio input cost as much as
//     input, writes for an hour as much as those for five minutes, audio output as
//     output, images as text.
//  3. Reasoning is the service tier's reasoning price, else that tier's output
//     price, else the standard reasoning price, else the output price.
//
// Any other service tier is unknown, and unknown isn't the same as standard. The
// error wraps [ErrUnknownModel], [ErrUnknownTier], [ErrUsage] or [ErrOverflow].
func (t *Table) Bill(model, service string, u Usage) (Bill, error) {
	m, _, err := t.Find(model)
	if err != nil {
		return Bill{}, err
	}
	if !slices.Contains(serviceTiers, service) {
		return Bill{}, fmt.Errorf("%w: %q", ErrUnknownTier, service)
	}
	if err := u.check(); err != nil {
		return Bill{}, err
	}
	text, spoken := u.plain()
	p := m.prices(service, u.Input)
	var b Bill
	sum := adder{}
	b.InputPicoUSD = sum.add(text, p.In)
	b.CacheReadPicoUSD = sum.add(u.CacheRead, p.CacheRead)
	b.CacheWrite5mPicoUSD = sum.add(u.CacheWrite5m, p.CacheWrite)
	b.CacheWrite1hPicoUSD = sum.add(u.CacheWrite1h, p.CacheWrite1h)
	b.AudioInPicoUSD = sum.add(u.AudioIn, p.AudioIn)
	b.ImageInPicoUSD = sum.add(u.ImageIn, p.ImageIn)
	b.OutputPicoUSD = sum.add(spoken, p.Out)
	b.ReasoningPicoUSD = sum.add(u.Reasoning, p.Reasoning)
	b.AudioOutPicoUSD = sum.add(u.AudioOut, p.AudioOut)
	b.ImageOutPicoUSD = sum.add(u.ImageOut, p.ImageOut)
	if sum.overflow {
		return Bill{}, fmt.Errorf("%w: %s, %+v", ErrOverflow, model, u)
	}
	b.PicoUSD = sum.total
	return b, nil
}

// prices resolves every part's price for a request.
func (m *ModelPrices) prices(service string, input int64) Price {
	std := m.Standard
	for _, tier := range m.Tiers {
		if input > tier.Above || m.Provider == "xai" && input == tier.Above {
			std = over(tier.Price, std)
		}
	}
	if service == "batch" {
		service = "batches"
	}
	own := m.Services[service]
	p := over(own, std)
	p.In, p.Out = first(p.In), first(p.Out)
	p.CacheRead = first(p.CacheRead, p.In)
	p.CacheWrite = first(p.CacheWrite, p.In)
	p.CacheWrite1h = first(p.CacheWrite1h, p.CacheWrite)
	p.AudioIn = first(p.AudioIn, p.In)
	p.AudioOut = first(p.AudioOut, p.Out)
	p.ImageIn, p.ImageOut = first(p.ImageIn, p.In), first(p.ImageOut, p.Out)
	p.Reasoning = first(own.Reasoning, own.Out, std.Reasoning, p.Out)
	return p
}

// over returns the prices that top has, and those of base for the others.
func over(top, base Price) Price {
	or := func(a, b *int64) *int64 {
		if a != nil {
			return a
		}
		return b
	}
	return Price{
		In: or(top.In, base.In), Out: or(top.Out, base.Out),
		CacheRead: or(top.CacheRead, base.CacheRead), CacheWrite: or(top.CacheWrite, base.CacheWrite), CacheWrite1h: or(top.CacheWrite1h, base.CacheWrite1h),
		Reasoning: or(top.Reasoning, base.Reasoning), AudioIn: or(top.AudioIn, base.AudioIn), AudioOut: or(top.AudioOut, base.AudioOut),
		ImageIn: or(top.ImageIn, base.ImageIn), ImageOut: or(top.ImageOut, base.ImageOut),
	}
}

// first returns the first price that isn't nil, or 0.
func first(prices ...*int64) *int64 {
	for _, p := range prices {
		if p != nil {
			return p
		}
	}
	return new(int64)
}

// adder sums products and reports when a sum is too large for int64.
type adder struct {
	total    int64
	overflow bool
}

func (a *adder) add(tokens int64, price *int64) int64 {
	hi, lo := bits.Mul64(uint64(tokens), uint64(*price)) // neither is negative
	if hi != 0 || lo > uint64(math.MaxInt64-a.total) {
		a.overflow = true
		return 0
	}
	a.total += int64(lo)
	return int64(lo)
}

// Of returns what a model's answer cost in pico-USD, and whether that is known: the
// model must be in the table and the answer must carry its usage. If the table
// doesn't know the model asked for, the name in the server's answer (GenerationInfo
// "Model") is tried; "ServiceTier" chooses the service tier. An answer from a
// response cache costs nothing.
//
// Of has the form of the Cost options of other packages.
func (t *Table) Of(model string, r *llms.ContentResponse) (picoUSD int64, ok bool) {
	if FromCache(r) {
		return 0, true
	}
	u, err := UsageOf(r)
	if err != nil {
		return 0, false
	}
	info := infoOf(r)
	service, _ := info["ServiceTier"].(string)
	if _, _, err := t.Find(model); err != nil {
		model, _ = info["Model"].(string)
	}
	b, err := t.Bill(model, service, u)
	return b.PicoUSD, err == nil
}

func infoOf(r *llms.ContentResponse) map[string]any {
	for _, c := range r.Choices {
		if c != nil {
			return c.GenerationInfo
		}
	}
	return nil
}

// USD writes an amount of pico-USD in dollars, exactly and without needless
// zeros, with two decimals at least: "$0.0001512", "$12.50".
func USD(picoUSD int64) string {
	n := new(big.Int).Abs(big.NewInt(picoUSD)) // the smallest int64 has no positive counterpart
	whole, part := new(big.Int).QuoRem(n, big.NewInt(1e12), new(big.Int))
	decimals := strings.TrimRight(fmt.Sprintf("%012d", part), "0")
	for len(decimals) < 2 {
		decimals += "0"
	}
	sign := ""
	if picoUSD < 0 {
		sign = "-"
	}
	return sign + "$" + whole.String() + "." + decimals
}
