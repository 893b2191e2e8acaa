%% The `call_storm` workload on the BEAM: gen_server:call with its default deadline, one JSON line out.
%%   erlc call_storm.erl && erl +S 2:2 -noshell -s call_storm main CLIENTS SECONDS
-module(call_storm).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

init([]) -> {ok, none}.

handle_call({question, Number}, _From, State) -> {reply, Number + 1, State}.

handle_cast(_, State) -> {noreply, State}.

main([ClientsText, SecondsText]) ->
    Clients = list_to_integer(atom_to_list(ClientsText)),
    Seconds = list_to_integer(atom_to_list(SecondsText)),
    {ok, Server} = gen_server:start(?MODULE, [], []),
    Self = self(),
    Begun = erlang:monotonic_time(nanosecond),
    End = Begun + Seconds * 1000000000,
    [spawn(fun() -> client(Self, Server, End, 0, 0, []) end) || _ <- lists:seq(1, Clients)],
    Reports = [receive {done, Count, Samples} -> {Count, Samples} end || _ <- lists:seq(1, Clients)],
    Elapsed = erlang:monotonic_time(nanosecond) - Begun,
    Calls = lists:sum([Count || {Count, _} <- Reports]),
    Gaps = lists:sort(lists:append([Samples || {_, Samples} <- Reports])),
    io:format("{\"peer\":\"beam\",\"workload\":\"call_storm\",\"value\":~b,\"unit\":\"calls/s\","
              "\"p50_us\":~.3f,\"p99_us\":~.3f}~n",
              [Calls * 1000000000 div Elapsed, quantile(Gaps, 0.5), quantile(Gaps, 0.99)]),
    halt(0).

%% One call in sixteen is timed.
client(Parent, Server, End, Count, Sixteenth, Samples) when Sixteenth =:= 0 ->
    Start = erlang:monotonic_time(nanosecond),
    if Start > End ->
           Parent ! {done, Count, Samples};
       true ->
           ask(Server, Count),
           Gap = erlang:monotonic_time(nanosecond) - Start,
           client(Parent, Server, End, Count + 1, 15, [Gap | Samples])
    end;
client(Parent, Server, End, Count, Sixteenth, Samples) ->
    ask(Server, Count),
    client(Parent, Server, End, Count + 1, Sixteenth - 1, Samples).

ask(Server, Count) ->
    Answer = gen_server:call(Server, {question, Count}),
    Answer = Count + 1.

quantile(Sorted, Share) -> lists:nth(max(1, round(length(Sorted) * Share)), Sorted) / 1000.
