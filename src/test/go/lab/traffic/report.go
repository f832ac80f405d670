// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// errorsKept is how many failures of a phase are told in full; all are counted.
const errorsKept = 20

// failure is one failed request.
type failure struct {
	At     time.Time `json:"at"`
	Target string    `json:"target"`
	Error  string    `json:"error"`
}

// phase is what happened between two switches of phase. Times are in microseconds.
type phase struct {
	Event    string         `json:"event"`
	Phase    string         `json:"phase"`
	Begin    time.Time      `json:"begin"`
	End      time.Time      `json:"end"`
	Requests int            `json:"requests"`
	Failed   int            `json:"failed"`
	Broken   int            `json:"brokenConnections"`
	Resent   int            `json:"resent"`
	PerSec   float64        `json:"requestsPerSecond"`
	P50      int64          `json:"p50Micros"`
	P99      int64          `json:"p99Micros"`
	Max      int64          `json:"maxMicros"`
	Answers  map[string]int `json:"answers,omitempty"`
	Errors   []failure      `json:"errors,omitempty"`
	// Means is the mean time of an answer by target.
	Means map[string]float64 `json:"meanMicros"`
	spent map[string]spent
	times []uint32
}

// spent is how many answers a target gave, and how long all of them took together.
type spent struct {
	answers int
	all     time.Duration
}

type report struct {
	lock     sync.Mutex
	current  *phase
	finished []*phase
	number   int
}

func newReport(name string) *report {
	return &report{current: newPhase(name), number: 1}
}

func newPhase(name string) *phase {
	return &phase{Event: "phase", Phase: name, Begin: time.Now(), Answers: map[string]int{},
		Means: map[string]float64{}, spent: map[string]spent{}}
}

// begin ends the current phase and begins one of that name.
func (r *report) begin(name string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.number++
	if name == "" {
		name = fmt.Sprintf("phase-%d", r.number)
	}
	r.end()
	r.current = newPhase(name)
}

// end closes the current phase and prints it; the lock is held.
func (r *report) end() {
	p := r.current
	p.End = time.Now()
	p.PerSec = float64(p.Requests) / max(p.End.Sub(p.Begin).Seconds(), 1e-9)
	slices.Sort(p.times)
	p.P50, p.P99, p.Max = quantile(p.times, 0.5), quantile(p.times, 0.99), quantile(p.times, 1)
	for target, s := range p.spent {
		p.Means[target] = float64(s.all.Microseconds()) / float64(s.answers)
	}
	r.finished = append(r.finished, p)
	emit(p)
}

func quantile(sorted []uint32, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return int64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))])
}

// done counts one request: began is when it was sent, answer what it was answered with ("" for none
// worth counting), err why it failed.
func (r *report) done(target string, began time.Time, answer string, err error) {
	took := time.Since(began)
	r.lock.Lock()
	defer r.lock.Unlock()
	p := r.current
	p.Requests++
	if err != nil {
		r.fail(target, err)
		return
	}
	p.times = append(p.times, uint32(min(took.Microseconds(), 1<<32-1)))
	s := p.spent[target]
	p.spent[target] = spent{s.answers + 1, s.all + took}
	if answer != "" && (len(p.Answers) < 64 || p.Answers[answer] > 0) {
		p.Answers[answer]++
	}
}

// fail counts a failure; the lock is held.
func (r *report) fail(target string, err error) {
	p := r.current
	p.Failed++
	if len(p.Errors) < errorsKept {
		p.Errors = append(p.Errors, failure{At: time.Now(), Target: target, Error: err.Error()})
	}
}

// broke counts an established connection that ended against its will.
func (r *report) broke() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.current.Broken++
}

// resent counts a message that was sent once more.
func (r *report) resent() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.current.Resent++
}

func (r *report) progress(ctx context.Context, every time.Duration) {
	for tick := time.NewTicker(every); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.lock.Lock()
			emit(map[string]any{"event": "progress", "phase": r.current.Phase,
				"requests": r.current.Requests, "failed": r.current.Failed, "at": time.Now()})
			r.lock.Unlock()
		}
	}
}

// finish prints the last phase and the summary, and returns how many requests failed or connections
// broke.
func (r *report) finish() int {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.end()
	requests, failed, broken := 0, 0, 0
	for _, p := range r.finished {
		requests, failed, broken = requests+p.Requests, failed+p.Failed, broken+p.Broken
	}
	emit(map[string]any{"event": "summary", "requests": requests, "failed": failed,
		"brokenConnections": broken, "phases": len(r.finished)})
	return failed + broken
}

func emit(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.Write(append(line, '\n'))
}
