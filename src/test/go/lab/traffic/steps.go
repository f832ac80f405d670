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
	name    string
	address string
	after   time.Duration
}

func (s *steps) take(name, address string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.taken = append(s.taken, step{name, address, time.Since(s.began)})
}

// traced is a context whose request is noted here.
func (s *steps) traced() context.Context {
	return httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		DNSDone:      func(httptrace.DNSDoneInfo) { s.take("lookup", "") },
		ConnectStart: func(_, address string) { s.take("connecting", address) },
		ConnectDone:  func(_, address string, _ error) { s.take("connected", address) },
		WroteRequest: func(httptrace.WroteRequestInfo) { s.take("sent", "") },
	})
}

func (s *steps) String() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	var text strings.Builder
	for _, each := range s.taken {
		fmt.Fprintf(&text, " %s %s at %s;", each.name, each.address, each.after)
	}
	return text.String()
}
