// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// requests sends GET requests to the targets in turn until ctx ends, each over a connection of its
// own. A request that is under way when ctx ends is let finish and is counted.
func requests(ctx context.Context, o *options) {
	client := &http.Client{
		Timeout: o.timeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       (&net.Dialer{Timeout: o.timeout, KeepAlive: -1}).DialContext,
		},
	}
	var tickets <-chan time.Time
	if o.rate > 0 {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
		defer ticker.Stop()
		tickets = ticker.C
	}
	var all sync.WaitGroup
	for worker := range o.concurrency {
		all.Go(func() {
			for i := worker; ctx.Err() == nil; i++ {
				if tickets != nil {
					select {
					case <-tickets:
					case <-ctx.Done():
						return
					}
				}
				target := o.targets[i%len(o.targets)]
				began := time.Now()
				answer, err := get(client, target, began)
				o.report.done(target, began, answer, err)
			}
		})
	}
	all.Wait()
}

// get returns the body when it is one short line, as servers that tell their name send it. The
// client tells an end of its time in the same words wherever it was, so an error says how far the
// request had come and when.
func get(client *http.Client, target string, began time.Time) (string, error) {
	taken := steps{began: began}
	request, err := http.NewRequestWithContext(taken.traced(), http.MethodGet, target, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("%w, after:%s", err, &taken)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("body: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", response.Status)
	}
	text := strings.TrimSpace(string(body))
	if len(text) > 64 || strings.ContainsAny(text, "\n ") {
		text = ""
	}
	return text, nil
}
