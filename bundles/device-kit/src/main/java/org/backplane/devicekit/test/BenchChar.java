package org.backplane.devicekit.test;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import org.backplane.kvm.spi.device.CharPort;

/** A character back end in memory. It stays when the card is swapped. */
public final class BenchChar {
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final ArrayDeque<Integer> input = new ArrayDeque<>();
    private Runnable onInput = () -> {};
    private boolean starved = true;

    /** Everything the device wrote, one char a byte. */
    public String output() {
        return output.toString(StandardCharsets.ISO_8859_1);
    }

    /** Bytes that the device wrote. */
    public int sent() {
        return output.size();
    }

    /** Sends bytes to the device, one a char. */
    public void input(String bytes) {
        for (int i = 0; i < bytes.length(); i++) input.add(bytes.charAt(i) & 0xff);
        if (starved && !input.isEmpty()) {
            starved = false;
            onInput.run();
        }
    }

    /** Bytes that the device has not taken yet. */
    public int waiting() {
        return input.size();
    }

    CharPort port(DeviceBench.Context context) {
        return new CharPort() {
            @Override
            public void write(int b) {
                context.check();
                output.write(b);
            }

            @Override
            public int read() {
                context.check();
                if (!input.isEmpty()) return input.remove();
                starved = true;
                return -1;
            }

            @Override
            public boolean readable() {
                context.check();
                return !input.isEmpty();
            }

            @Override
            public void onInput(Runnable callback) {
                context.check();
                onInput = callback;
            }
        };
    }
}
