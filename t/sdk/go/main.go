// The SDK centrifuge-go, unmodified, against a running nginx: t/native_sdk.t
// starts both, and reads a line of TAP for each check. "restart" asks it to
// restart nginx; it answers with a line.
package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

const patience = 8 * time.Second

var (
	url, secret = os.Args[1], os.Args[2]
	checks      int
	clients     []*centrifuge.Client
)

type claims map[string]any

func ok(good bool, name string) {
	checks++
	word := "ok"
	if !good {
		word = "not ok"
	}
	fmt.Printf("%s %d - %s\n", word, checks, name)
}

func is[T comparable](got, expected T, name string) {
	ok(got == expected, name)
	if got != expected {
		fmt.Printf("# got %v, not %v\n", got, expected)
	}
}

func jwt(what claims) string {
	part := func(value any) string {
		text, _ := json.Marshal(value)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(claims{"alg": "HS256", "typ": "JWT"}) + "." + part(what)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func in(seconds int) int64 {
	return time.Now().Unix() + int64(seconds)
}

// await gives what comes; a panic with `what` ends the test that waits in vain.
func await[T any](events <-chan T, what string) T {
	select {
	case event := <-events:
		return event
	case <-time.After(patience):
		panic("no " + what)
	}
}

// A client and what it was told.
type client struct {
	*centrifuge.Client
	connected    chan centrifuge.ConnectedEvent
	connecting   chan centrifuge.ConnectingEvent
	disconnected chan centrifuge.DisconnectedEvent
	subscribed   chan centrifuge.ServerSubscribedEvent
	publications chan centrifuge.ServerPublicationEvent
}

func newClient(path string, config centrifuge.Config) *client {
	config.MinReconnectDelay = 50 * time.Millisecond
	config.MaxReconnectDelay = 500 * time.Millisecond
	made := &client{
		centrifuge.NewJsonClient(url+path, config),
		make(chan centrifuge.ConnectedEvent, 64),
		make(chan centrifuge.ConnectingEvent, 64),
		make(chan centrifuge.DisconnectedEvent, 64),
		make(chan centrifuge.ServerSubscribedEvent, 64),
		make(chan centrifuge.ServerPublicationEvent, 64),
	}
	made.OnConnected(func(e centrifuge.ConnectedEvent) { made.connected <- e })
	made.OnConnecting(func(e centrifuge.ConnectingEvent) { made.connecting <- e })
	made.OnDisconnected(func(e centrifuge.DisconnectedEvent) { made.disconnected <- e })
	made.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) { made.subscribed <- e })
	made.OnPublication(func(e centrifuge.ServerPublicationEvent) { made.publications <- e })
	clients = append(clients, made.Client)
	return made
}

func connected(path string, config centrifuge.Config) *client {
	made := newClient(path, config)
	_ = made.Connect()
	await(made.connected, "connected")
	await(made.connecting, "connecting")
	return made
}

// A subscription and what it was told.
type room struct {
	*centrifuge.Subscription
	subscribed   chan centrifuge.SubscribedEvent
	unsubscribed chan centrifuge.UnsubscribedEvent
	publications chan centrifuge.PublicationEvent
}

func (c *client) room(name string, config centrifuge.SubscriptionConfig) *room {
	made, err := c.NewSubscription(name, config)
	if err != nil {
		panic(err)
	}
	one := &room{made, make(chan centrifuge.SubscribedEvent, 64),
		make(chan centrifuge.UnsubscribedEvent, 64),
		make(chan centrifuge.PublicationEvent, 64)}
	made.OnSubscribed(func(e centrifuge.SubscribedEvent) { one.subscribed <- e })
	made.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { one.unsubscribed <- e })
	made.OnPublication(func(e centrifuge.PublicationEvent) { one.publications <- e })
	_ = made.Subscribe()
	return one
}

func (c *client) joined(name string, config centrifuge.SubscriptionConfig) *room {
	one := c.room(name, config)
	await(one.subscribed, "subscribed "+name)
	return one
}

func (c *client) publish(channel, data string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := c.Publish(ctx, channel, []byte(data))
	return err
}

// The code of a server's error; 0: none, or another.
func code(err error) uint32 {
	var known *centrifuge.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return 0
}

type plain = centrifuge.Config
type open = centrifuge.SubscriptionConfig

var tests = []struct {
	name string
	run  func()
}{
	{"connect, subscribe, publish", func() {
		one, two := connected("/open", plain{}), connected("/open", plain{})
		here := one.joined("room", open{})
		is(two.publish("room", `{"text":"hé \"you\"","n":0.1}`), nil, "it publishes")
		heard := await(here.publications, "publication")
		is(string(heard.Data), `{"text":"hé \"you\"","n":0.1}`, "the data")
		ok(heard.Offset > 0, "the offset")
		_, err := one.RPC(context.Background(), "any", []byte("{}"))
		is(code(err), 104, "rpc")
		is(code(two.publish("", "{}")), 107, "no channel")
	}},
	{"loops of subscribing", func() {
		one := connected("/open", plain{})
		here := one.room("loop", open{})
		for range 50 {
			await(here.subscribed, "subscribed")
			_ = here.Unsubscribe()
			await(here.unsubscribed, "unsubscribed")
			_ = here.Subscribe()
		}
		await(here.subscribed, "subscribed")
		is(one.publish("loop", "1"), nil, "fifty times")
		is(string(await(here.publications, "publication").Data), "1", "and it hears")
	}},
	{"a hundred subscriptions at once", func() {
		one := newClient("/open", plain{})
		var rooms []*room
		for i := range 100 {
			rooms = append(rooms, one.room(fmt.Sprint("many-", i), open{}))
		}
		_ = one.Connect()
		for _, here := range rooms {
			await(here.subscribed, "subscribed")
		}
		ok(true, "all of them")
		for i := range 28 {
			one.joined(fmt.Sprint("more-", i), open{})
		}
		end := await(one.room("above", open{}).unsubscribed, "unsubscribed")
		is(end.Code, 106, "one above the limit")
	}},
	{"connection tokens", func() {
		is(connected("/keyed", plain{Token: jwt(claims{"sub": "a"})}).State(),
			centrifuge.StateConnected, "a token")
		var got atomic.Int32
		two := connected("/keyed", plain{GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
			got.Add(1)
			return jwt(claims{"sub": "b", "channel": "b", "exp": in(3)}), nil
		}})
		here := two.joined("b", open{})
		time.Sleep(5 * time.Second)
		is(two.State(), centrifuge.StateConnected, "outlives its first token")
		is(here.State(), centrifuge.SubStateSubscribed, "and its subscriptions with it")
		ok(got.Load() >= 2, "by refreshing")
		connected("/keyed", plain{Token: jwt(claims{"exp": in(-9)}),
			GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
				return jwt(claims{"sub": "c"}), nil
			}})
		ok(true, "an expired one is replaced")
	}},
	{"tokens that are refused", func() {
		for _, one := range []struct {
			name     string
			path     string
			config   plain
			expected uint32
		}{
			{"no token", "/keyed", plain{}, 101},
			{"a bad token", "/keyed", plain{Token: "bad"}, 3500},
			{"a token for other channels", "/given",
				plain{Token: jwt(claims{"channel": "other"})}, 3507},
			{"a token for too many", "/given",
				plain{Token: jwt(claims{"channels": []string{"news", "a", "b"}})}, 3505},
			{"an application that says no", "/keyed", plain{GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
				return "", centrifuge.ErrUnauthorized
			}}, 1},
		} {
			made := newClient(one.path, one.config)
			_ = made.Connect()
			is(await(made.disconnected, "disconnected").Code, one.expected, one.name+" ends it")
			is(made.State(), centrifuge.StateDisconnected, "for good")
		}
	}},
	{"channel tokens", func() {
		one := connected("/keyed", plain{Token: jwt(claims{"sub": "a"})})
		var got atomic.Int32
		here := one.joined("x", open{GetToken: func(centrifuge.SubscriptionTokenEvent) (string, error) {
			got.Add(1)
			return jwt(claims{"sub": "a", "channel": "x", "exp": in(3)}), nil
		}})
		time.Sleep(5 * time.Second)
		is(here.State(), centrifuge.SubStateSubscribed, "outlives its first token")
		ok(got.Load() >= 2, "by refreshing")
		is(await(one.room("y", open{}).unsubscribed, "unsubscribed").Code, 103,
			"no token, no channel")
		refused := one.room("z", open{GetToken: func(centrifuge.SubscriptionTokenEvent) (string, error) {
			return "", centrifuge.ErrUnauthorized
		}})
		is(await(refused.unsubscribed, "unsubscribed").Code, 1, "an application says no")
		one.joined("w", open{Token: jwt(claims{"sub": "a", "channel": "w", "exp": in(-5)}),
			GetToken: func(centrifuge.SubscriptionTokenEvent) (string, error) {
				return jwt(claims{"sub": "a", "channel": "w"}), nil
			}})
		ok(true, "an expired one is replaced")
	}},
	{"subscriptions of the server", func() {
		one := newClient("/keyed", plain{Token: jwt(claims{"sub": "a",
			"channels": []string{"srv"}, "scope": "subscribe publish"})})
		_ = one.Connect()
		is(await(one.subscribed, "subscribed").Channel, "srv", "it is told")
		is(one.publish("srv", "[1]"), nil, "it publishes")
		is(await(one.publications, "publication").Channel, "srv", "and hears")
	}},
	{"codes that end for good", func() {
		one := connected("/open", plain{})
		_ = one.Send(context.Background(), []byte("{}"))
		is(await(one.disconnected, "disconnected").Code, 3508, "send")
		is(one.State(), centrifuge.StateDisconnected, "for good")
	}},
	{"coming back", func() {
		one, two := connected("/open", plain{}), connected("/open", plain{})
		here := one.joined("kept:back", open{})
		hears := func(expected ...string) {
			for _, data := range expected {
				is(string(await(here.publications, data).Data), data, "hears "+data)
			}
		}
		away := func(channel string, missed ...string) centrifuge.SubscribedEvent {
			_ = one.Disconnect()
			await(one.disconnected, "disconnected")
			for _, data := range missed {
				_ = two.publish(channel, data)
			}
			_ = one.Connect()
			return await(here.subscribed, "subscribed")
		}
		_ = two.publish("kept:back", "1")
		hears("1")
		told := away("kept:back", "2", "3")
		ok(told.WasRecovering && told.Recovered, "what was missed is recovered")
		_ = two.publish("kept:back", "4")
		hears("2", "3", "4")
		told = away("kept:back")
		ok(told.WasRecovering && told.Recovered, "nothing was missed")
		_ = two.publish("kept:back", "5")
		hears("5")
		_ = here.Unsubscribe()
		here = one.joined("short:back", open{})
		_ = two.publish("short:back", "1")
		hears("1")
		told = away("short:back", "2", "3", "4")
		ok(told.WasRecovering && !told.Recovered, "too much was missed")
		_ = two.publish("short:back", "5")
		hears("5")
	}},
	{"history, presence, join and leave", func() {
		one, two := connected("/open", plain{}), connected("/open", plain{})
		here := one.room("kept:read", open{JoinLeave: true})
		joins, leaves := make(chan string, 64), make(chan string, 64)
		here.OnJoin(func(e centrifuge.JoinEvent) { joins <- e.Client })
		here.OnLeave(func(e centrifuge.LeaveEvent) { leaves <- e.Client })
		await(here.subscribed, "subscribed")
		for _, data := range []string{"1", "2", "3"} {
			_ = two.publish("kept:read", data)
		}
		ctx := context.Background()
		all, err := here.History(ctx, centrifuge.WithHistoryLimit(-1))
		is(err, nil, "history")
		is(len(all.Publications), 3, "all of it")
		is(all.Offset, 3, "up to here")
		last, _ := here.History(ctx, centrifuge.WithHistoryLimit(1),
			centrifuge.WithHistoryReverse(true))
		is(string(last.Publications[0].Data), "3", "backwards")
		two.joined("kept:read", open{})
		there, err := here.Presence(ctx)
		is(err, nil, "presence")
		is(len(there.Clients), 2, "who is there")
		stats, _ := here.PresenceStats(ctx)
		is(stats.NumClients, 2, "how many")
		_ = two.Disconnect()
		left := await(leaves, "leave")
		_, known := there.Clients[left]
		ok(known, "who goes")
		for came := ""; came != left; {
			came = await(joins, "join")
		}
		ok(true, "is who came")
	}},
	{"nginx restarts", func() {
		one := connected("/open", plain{})
		here := one.joined("kept:again", open{})
		is(one.publish("kept:again", "1"), nil, "it publishes")
		await(here.publications, "publication")
		fmt.Println("restart")
		is(await(one.connecting, "connecting").Code, 3001, "shutdown")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			panic(err)
		}
		await(one.connected, "connected")
		told := await(here.subscribed, "subscribed")
		ok(told.WasRecovering && !told.Recovered,
			"its position is gone with the epoch")
		is(one.publish("kept:again", "2"), nil, "it comes back")
		is(string(await(here.publications, "publication").Data), "2", "subscribed")
	}},
}

func run(name string, test func()) {
	defer func() {
		if why := recover(); why != nil {
			ok(false, fmt.Sprintf("%s: %v", name, why))
		}
		for _, one := range clients {
			one.Close()
		}
		clients = nil
	}()
	fmt.Println("#", name)
	test()
}

func main() {
	for _, one := range tests {
		run(one.name, one.run)
	}
	fmt.Printf("1..%d\n", checks)
}
