# One fault under one load: an nginx and an engine of its own, from their start
# to the check of what every subscriber got.
package Paperboy::Scenario;
use v5.36;

use Fcntl qw(O_WRONLY O_CREAT);
use File::Temp ();
use List::Util qw(max);
use Paperboy::Doors;
use Paperboy::Engine;
use Paperboy::Fault;
use Paperboy::Nginx;
use Time::HiRes qw(time sleep);

our %RATE = (idle => 2, steady => 1000, full => 'full');

# fault => one of Paperboy::Fault::faults; load => of %RATE; seed; seconds, for
# how long the fault is done; clients => {native => N, sse => N, ...};
# engine => further options of the engine.
sub new ($class, %option) {
    my $self = bless {
        %option,
        random   => $option{seed} & 0x7fffffff || 1,
        problems => [],
        deeds    => [],
        dir      => File::Temp->newdir('paperboy-fault-XXXXXX', TMPDIR => 1),
    }, $class;
    return $self;
}

# What was counted; `problems` has what may not be.
sub run ($self) {
    eval { $self->_run; 1 } or $self->problem("$@" =~ s/\s+\z//r);
    my $status = $self->{engine} ? $self->{engine}->finish : 0;
    $self->problem("the engine exits with $status")
        if $status && !@{ $self->{problems} };
    if ($self->{nginx}) {
        $self->problem("nginx doesn't stop") if !$self->{nginx}->stop;
        $self->problem("log: $_") for $self->{nginx}->unexpected;
    }
    $self->{dir}->unlink_on_destroy(!@{ $self->{problems} });
    return $self->{counts} // {};
}

sub _run ($self) {
    my %clients = %{ $self->{clients} };
    my $doors   = $clients{classic} || $clients{notiflux}
        ? Paperboy::Doors->new(dir => "$self->{dir}")
        : undef;
    if ($doors) {
        my $locations = $self->{fault}{locations} // '';
        $self->{fault} = { %{ $self->{fault} },
            locations => $locations . $doors->locations(0) };
        %clients = ($doors->engine($clients{classic} // 0), %clients);
    }
    my $fault = $self->{fault};
    $self->{nginx} = $self->_nginx;
    my $engine = $self->{engine} = Paperboy::Engine->new(
        ports => $self->{nginx}->port,
        seed => $self->{seed},
        log  => "$self->{dir}/engine.log",
        big  => ($fault->{big} // {})->{ $self->{load} } // 0,
        %clients,
        %{ $fault->{engine} // {} },
        %{ $self->{options} // {} },
    );
    my $ready = $engine->answer // die "the engine says nothing\n";
    die "subscribers can't connect\n" if !$ready->{ready};
    # A broadcast's answer has no position: nobody need see what is lost.
    $engine->tell('doubt all') if $self->_is_lossy;
    $engine->tell("rate $RATE{$self->{load}}");
    $self->pass(0.3);
    my $until = time + max($self->{seconds}, $fault->{seconds} // 0);
    $fault->{inject}->($self) while time < $until;
    $self->{counts} = $engine->ask('finish', 120)
        // die "the engine doesn't finish\n";
    $self->_judge($self->{counts});
    return;
}

sub _nginx ($self) {
    my $fault = $self->{fault};
    my %option = (
        workers     => 3,
        connections => 4096,
        log_level   => 'notice',
        dir         => "$self->{dir}",
        main        => $fault->{main} // '',
        http        => Paperboy::Fault::conf($fault),
        daemon      => $fault->{daemon} // 0,
    );
    if ($fault->{clock}) {
        $self->step_clock(0);
        $option{env} = {
            LD_PRELOAD     => Paperboy::Fault::clock_step(),
            PAPERBOY_CLOCK => "$self->{dir}/clock",
        };
    }
    my $nginx = Paperboy::Nginx->new(%option);
    $nginx->expect_log($fault->{alerts}) if $fault->{alerts};
    return $nginx->start;
}

sub _judge ($self, $counts) {
    my %name = (
        untold         => 'publications in holes that were not told',
        duplicates     => 'duplicates',
        reorders       => 'reorders',
        contradictions => 'contradictions',
        lost           => 'broadcasts lost',
    );
    for my $kind (sort keys %name) {
        $self->problem("$counts->{$kind} $name{$kind}") if $counts->{$kind};
    }
    my $lossy = $self->_is_lossy;
    $self->problem("$counts->{unrecovered} not recovered, though all is kept")
        if !$lossy && $counts->{unrecovered};
    $self->problem('nothing was delivered') if !$counts->{deliveries};
    return;
}

sub _is_lossy ($self) {
    return $self->{fault}{lossy} || $self->{load} eq 'full';
}

sub problem ($self, $text) { push @{ $self->{problems} }, $text; return }

# --- what faults are made of -------------------------------------------------

# A number from 0 to below 1, the next of the seed's.
sub random ($self) {
    $self->{random} = ($self->{random} * 48271) % 0x7fffffff;
    return $self->{random} / 0x7fffffff;
}

sub any ($self, @of) { return $of[$self->random * @of] }

# Lets so many seconds pass, or some time between two.
sub pass ($self, $least, $most = $least) {
    sleep($least + ($most - $least) * $self->random);
    return;
}

sub did ($self, $deed) {
    push @{ $self->{deeds} }, sprintf '%.3f %s', time, $deed;
    return;
}

sub tell ($self, $line) {
    $self->did($line);
    $self->{engine}->tell($line);
    return;
}

# One of the workers, and notes what becomes of it.
sub signal_worker ($self, $signal) {
    my $pid = $self->any($self->{nginx}->workers) // return;
    $self->did("$signal $pid");
    kill $signal => $pid;
    return $pid;
}

sub reload ($self) {
    my $count = 5000 + int(1000 * $self->random);
    my $rule = ($self->{fault}{rule} // $Paperboy::Fault::RULE)
        =~ s/\bhistory=\d+/history=$count/r;
    $self->did("reload with $rule");
    $self->{nginx}->reload(Paperboy::Fault::conf($self->{fault}, rule => $rule));
    return;
}

sub restart ($self) {
    $self->did('quit and start');
    $self->{nginx}->stop('QUIT') or die "nginx doesn't quit\n";
    $self->{nginx}->start;
    return;
}

sub upgrade ($self) {
    $self->did('upgrade');
    my $old = $self->{nginx}->upgrade;
    $self->pass(0.2, 0.6);
    kill QUIT => $old;
    my $deadline = time + 20;
    while (Paperboy::Nginx::is_running($old)) {
        die "the old master doesn't quit\n" if time > $deadline;
        sleep 0.02;
    }
    return;
}

sub step_clock ($self, $seconds) {
    $self->did("the clock is $seconds s ahead");
    # In place, since nginx keeps the file open, and in one write.
    sysopen my $clock, "$self->{dir}/clock", O_WRONLY | O_CREAT
        or die "clock: $!";
    syswrite $clock, sprintf "%-20d\n", $seconds;
    close $clock;
    return;
}

1;
