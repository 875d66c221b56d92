# Tokens and keys for tests: HMAC by Digest::SHA, all else by openssl(1).
package Paperboy::JWT;
use v5.36;

use Digest::SHA qw(hmac_sha256 hmac_sha384 hmac_sha512);
use Exporter 'import';
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);

our @EXPORT_OK = qw(jwt jwt_of_text rsa_key ec_key ed_key jwk jwks base64url);

my %CURVE = (256 => 'prime256v1', 384 => 'secp384r1', 512 => 'secp521r1');
my %SIZE  = (256 => 32, 384 => 48, 512 => 66);
my %HMAC  = (
    256 => \&hmac_sha256,
    384 => \&hmac_sha384,
    512 => \&hmac_sha512,
);

sub base64url ($bytes) { return encode_base64url($bytes) }

# jwt(\%claims, key => SECRET or PATH, alg => 'HS256', header => {...})
# For all but HS `key` is the path of a private key in PEM.
sub jwt ($claims, %option) {
    my $alg    = $option{alg} // 'HS256';
    my $json   = JSON::PP->new->utf8->canonical;
    my $header = { alg => $alg, typ => 'JWT', %{ $option{header} // {} } };
    return jwt_of_text($json->encode($header), $json->encode($claims),
        key => $option{key}, alg => $alg);
}

# The same of any texts: for tokens that aren't well-formed.
sub jwt_of_text ($header, $claims, %option) {
    my $signed = base64url($header) . '.' . base64url($claims);
    return "$signed." . base64url(_sign($signed, %option));
}

sub _sign ($data, %option) {
    return _openssl(pkeyutl => $data, '-rawin', '-inkey', $option{key})
        if $option{alg} eq 'EdDSA';
    my ($family, $bits) = $option{alg} =~ /^(HS|RS|PS|ES)(256|384|512)$/
        or return '';
    return $HMAC{$bits}->($data, $option{key}) if $family eq 'HS';
    my @padding = $family ne 'PS' ? () : (
        '-sigopt' => 'rsa_padding_mode:pss', '-sigopt' => 'rsa_pss_saltlen:-1');
    my $signature = _openssl(dgst => $data, "-sha$bits", @padding,
        '-sign', $option{key});
    return $family eq 'ES' ? _der_to_raw($signature, $SIZE{$bits}) : $signature;
}

sub _openssl ($command, $data, @words) {
    my $input = File::Temp->new;
    print {$input} $data;
    close $input;
    my @input = $command eq 'pkeyutl' ? ('-sign', '-in') : ();
    open my $pipe, '-|', 'openssl', $command, @words, @input, $input->filename
        or die "openssl: $!";
    binmode $pipe;
    local $/ = undef;
    my $signature = <$pipe>;
    close $pipe or die "openssl $command failed\n";
    return $signature;
}

# SEQUENCE { INTEGER r, INTEGER s } as r and s of `$size` bytes each
# (RFC 7518 section 3.4).
sub _der_to_raw ($der, $size) {
    my $at = ord(substr $der, 1, 1) & 0x80 ? 3 : 2;
    my $raw = '';
    for (1 .. 2) {
        my $length = ord substr $der, $at + 1, 1;
        my $number = substr $der, $at + 2, $length;
        $number =~ s/^\0+//;
        $raw .= ("\0" x ($size - length $number)) . $number;
        $at += 2 + $length;
    }
    return $raw;
}

# Makes DIR/NAME.pem and DIR/NAME.pub; the paths of both.
sub rsa_key ($dir, $name, $bits = 2048) {
    return _key("$dir/$name", '-algorithm', 'RSA', '-pkeyopt',
        "rsa_keygen_bits:$bits");
}

sub ec_key ($dir, $name, $bits = 256) {
    return _key("$dir/$name", '-algorithm', 'EC', '-pkeyopt',
        "ec_paramgen_curve:$CURVE{$bits}");
}

sub ed_key ($dir, $name, $curve = 'ED25519') {
    return _key("$dir/$name", '-algorithm', $curve);
}

# A public key, made by the above, as a JSON Web Key with these members beside.
sub jwk ($path, %member) {
    my $der  = _read_pipe('openssl', 'pkey', '-pubin', '-in', $path, '-outform',
        'DER');
    my $text = _read_pipe('openssl', 'pkey', '-pubin', '-in', $path, '-noout',
        '-text');
    if ($text =~ /^ED(25519|448)/) {
        return { kty => 'OKP', crv => "Ed$1",
            x => base64url(substr $der, $1 eq '448' ? -57 : -32), %member };
    }
    if (my ($curve) = $text =~ /NIST CURVE: (P-\d+)/) {
        my $size = { 'P-256' => 32, 'P-384' => 48, 'P-521' => 66 }->{$curve};
        return { kty => 'EC', crv => $curve,
            x => base64url(substr $der, -2 * $size, $size),
            y => base64url(substr $der, -$size), %member };
    }
    my ($n) = $text =~ /Modulus:\s*([\s0-9a-f:]+?)\nExponent: 65537/i or die $text;
    my $modulus = pack 'H*', $n =~ s/[\s:]//gr;
    return { kty => 'RSA', n => base64url($modulus =~ s/^\0+//r), e => 'AQAB',
        %member };
}

# A key set of them.
sub jwks (@keys) {
    return JSON::PP->new->utf8->canonical->encode({ keys => \@keys });
}

sub _read_pipe (@command) {
    open my $pipe, '-|', @command or die "@command: $!";
    binmode $pipe;
    local $/ = undef;
    my $text = <$pipe>;
    close $pipe or die "@command failed\n";
    return $text;
}

sub _key ($base, @options) {
    system('openssl', 'genpkey', '-quiet', '-out', "$base.pem", @options) == 0
        or system(qw(openssl genpkey -out), "$base.pem", @options) == 0
        or die "openssl genpkey failed\n";
    system('openssl', 'pkey', '-in', "$base.pem", '-pubout', '-out',
        "$base.pub") == 0
        or die "openssl pkey failed\n";
    return ("$base.pem", "$base.pub");
}

1;
