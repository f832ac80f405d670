// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// steps are what an HTTP request has come through.
type steps struct {
	began time.Time
	lock  sync.Mutex
	taken []step
}

type step struct {
	name  string
	after time.Duration
}

// take notes a step unless it failed.
func (s *steps) take(name string, err error) {
	if err != nil {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.taken = append(s.taken, step{name, time.Since(s.began)})
}

// traced is a context whose request is noted here.
func (s *steps) traced() context.Context {
	return httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		DNSDone:      func(info httptrace.DNSDoneInfo) { s.take("looked up", info.Err) },
		ConnectStart: func(_, address string) { s.take("connecting to "+address, nil) },
		ConnectDone:  func(_, address string, err error) { s.take("connected to "+address, err) },
		WroteRequest: func(info httptrace.WroteRequestInfo) { s.take("sent", info.Err) },
	})
}

func (s *steps) String() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	var text strings.Builder
	for _, each := range s.taken {
		fmt.Fprintf(&text, " %s at %s;", each.name, each.after)
	}
	return text.String()
}
