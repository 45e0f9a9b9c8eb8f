package org.backplane.itests.guest;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.imageio.ImageIO;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.itests.support.Osgi;
import org.backplane.kvm.spi.device.DisplaySource.Frame;

/** A machine inside the container, with its first serial port on a {@link SerialLine}; what the guest said is kept in {@code target/guests}. */
final class ContainerGuest implements AutoCloseable {
    private static final Path KEPT = Path.of("target", "guests");

    private final Machine machine;
    private final SerialLine serial;

    private ContainerGuest(Machine machine, SerialLine serial) {
        this.machine = machine;
        this.serial = serial;
    }

    /**
     * Makes a machine and starts it.
     *
     * @param options each once, without {@code -serial}
     */
    static ContainerGuest start(String name, Map<String, String> options) throws BoardException {
        Map<String, List<String>> config = new HashMap<>();
        options.forEach((key, value) -> config.put(key, List.of(value)));
        config.put("serial", List.of("console"));
        Machine machine = Osgi.service(Machines.class).create(name, config);
        Machine.Console[] console = new Machine.Console[1];
        SerialLine serial = new SerialLine(bytes -> console[0].input(bytes));
        console[0] = machine.attachConsole("com1", serial::output);
        machine.ended().thenRun(serial::end);
        machine.start();
        return new ContainerGuest(machine, serial);
    }

    /** Debian's kernel with the busybox initramfs. */
    static ContainerGuest debian(String name, String commandLine, Map<String, String> more) throws BoardException {
        Map<String, String> options = new HashMap<>(more);
        options.put("kernel", DebianFiles.KERNEL.toString());
        options.put("initrd", DebianFiles.INITRAMFS.toString());
        options.put("append", commandLine);
        options.put("m", "256");
        return start(name, options);
    }

    Machine machine() {
        return machine;
    }

    SerialLine serial() {
        return serial;
    }

    /** The slot as it is now. */
    Machine.SlotInfo slot(String name) {
        return machine.slots().stream().filter(s -> s.slot().equals(name)).findFirst().orElseThrow(() -> new AssertionError("no slot " + name));
    }

    Machine.End end(Duration patience) throws Exception {
        try {
            return machine.ended().get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError(machine.name() + " did not end in " + patience.toSeconds() + " s", e);
        }
    }

    /** Keeps the screen as a picture, for people. */
    Frame keepScreen() throws IOException {
        Frame f = machine.screen().orElseThrow(() -> new AssertionError("no screen"));
        BufferedImage image = new BufferedImage(f.width(), f.height(), BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, f.width(), f.height(), f.pixels(), 0, f.width());
        Files.createDirectories(KEPT);
        ImageIO.setUseCache(false);
        ImageIO.write(image, "png", KEPT.resolve(machine.name() + ".png").toFile());
        return f;
    }

    @Override
    public void close() {
        if (machine.state() != Machine.State.ENDED) machine.stop();
        serial.keep(KEPT.resolve(machine.name() + ".txt"));
    }
}
