package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// row is a measure and what came out of it, by the server's name.
type row struct {
	measure
	values    map[string][]float64
	generator map[string][]float64 // CPU seconds of the generator
}

func (r *row) add(server string, res map[string]any) {
	v, _ := res[r.key].(float64)
	r.values[server] = append(r.values[server], v)
	g, ok := res["generator_cpu_s"].(float64)
	if !ok {
		g, _ = res["client_cpu_s"].(float64)
	}
	r.generator[server] = append(r.generator[server], g)
}

// floor is the name of the server that Parley is compared with.
func (r *row) floor() string {
	switch {
	case r.across:
		return oneDomain
	case r.xmpp:
		return nullServer
	}
	return nullRelay
}

// median is the middle one, or the mean of the two in the middle; 0 of none.
func median(l []float64) float64 {
	if len(l) == 0 {
		return 0
	}
	l = slices.Sorted(slices.Values(l))
	n := len(l)
	return (l[(n-1)/2] + l[n/2]) / 2
}

// verdict says whether Parley keeps the bar.
func (r *row) verdict(relay, parley float64) string {
	if r.limit == 0 {
		return ""
	}
	got := parley
	if r.ratio {
		if relay == 0 {
			return ""
		}
		got = parley / relay
	}
	if r.atLeast && got >= r.limit || !r.atLeast && got <= r.limit {
		return "yes"
	}
	return "**no**"
}

// table prints the rows as Markdown.
func table(w io.Writer, rows []*row, rounds int, quick bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d CPUs, %s, %s. Medians of %d rounds, lowest and highest in brackets.\n", cpu(), runtime.NumCPU(), kernel(), runtime.Version(), rounds)
	if quick {
		b.WriteString("A short run (`-quick`): too little work for numbers to rely on.\n")
	}
	if slices.ContainsFunc(rows, func(r *row) bool { return r.across }) {
		b.WriteString("Words to another domain are compared with those within one, on Parley; the CPU is that of both servers.\n")
	}
	b.WriteString("\n| what | unit | null | Parley | Parley / null | wanted | kept |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		relay, parley := r.values[r.floor()], r.values["Parley"]
		ratio, kept := "", ""
		if len(parley) > 0 {
			if m := median(relay); m > 0 {
				ratio = fmt.Sprintf("%.2f", median(parley)/m)
			}
			kept = r.verdict(median(relay), median(parley))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.name, r.unit, spread(relay), spread(parley), ratio, r.bar, kept)
	}
	likes(&b, rows)
	b.WriteString("\nThe generator's own CPU, seconds per run (not in the numbers above): ")
	var own []string
	for _, r := range rows {
		own = append(own, fmt.Sprintf("%s %.1f / %.1f", r.name, median(r.generator[r.floor()]), median(r.generator["Parley"])))
	}
	b.WriteString(strings.Join(own, ", ") + ".\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func spread(l []float64) string {
	if len(l) == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s-%s)", number(median(l)), number(slices.Min(l)), number(slices.Max(l)))
}

// number shows about three digits that mean something.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.4f", v)
}

func cpu() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var u syscall.Utsname
	if syscall.Uname(&u) != nil {
		return runtime.GOOS
	}
	var b []byte
	for _, c := range u.Release {
		if c == 0 {
			break
		}
		b = append(b, byte(c))
	}
	return "Linux " + string(b)
}
