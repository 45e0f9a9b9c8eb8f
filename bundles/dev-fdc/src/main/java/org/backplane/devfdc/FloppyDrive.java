package org.backplane.devfdc;

import java.io.IOException;
import java.util.Optional;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.BlockPort;

/**
 * A drive: a head on a cylinder, and perhaps a medium. The head moves at once and the motor is always at speed.
 *
 * <p>The change line is latched when the medium changes (and at power-on) and released by a step pulse while a medium is in the drive. A
 * step pulse that the head cannot follow, at cylinder 0 for example, counts.
 */
final class FloppyDrive {
    /** The head's innermost cylinder; drives reach a little farther than formats do. */
    private static final int LAST_CYLINDER = 83;
    /** In place of a medium's generation. */
    private static final int EMPTY = -1;

    private final String name;
    private final boolean fitted;
    private final Register cylinder;
    private final Register changed;
    private final Register generation;
    private BlockPort medium;
    private Geometry geometry;

    /** @param fitted false: there is only a connector */
    FloppyDrive(RegisterFile file, String name, boolean fitted) {
        this.name = name;
        this.fitted = fitted;
        cylinder = file.register(name + ".cylinder", 8);
        changed = file.register(name + ".changed", 8).resetValue(1);
        generation = file.register(name + ".generation", 32);
    }

    /**
     * Looks at what is in the drive.
     *
     * @throws IllegalArgumentException if it has the size of no format; the drive is then empty
     */
    void insert(Optional<BlockPort> block) {
        medium = null;
        geometry = null;
        if (block.isEmpty()) return;
        BlockPort b = block.get();
        geometry = Geometry.ofSize(b.size());
        if (geometry == null) {
            throw new IllegalArgumentException(
                    name + ": an image of " + b.size() + " bytes has the size of no floppy format: " + Geometry.sizes());
        }
        medium = b;
    }

    /** The medium is another one than when this was last called; latches the change line then. */
    boolean exchanged(Optional<BlockPort> block) {
        int now = block.isEmpty() ? EMPTY : block.get().generation();
        if (now == generation.intValue()) return false;
        generation.set(now);
        changed.set(1);
        return true;
    }

    boolean changed() {
        return fitted && changed.value() != 0;
    }

    /** Null when the drive is empty. */
    Geometry geometry() {
        return geometry;
    }

    boolean writeProtected() {
        return medium != null && medium.readOnly();
    }

    int cylinder() {
        return cylinder.intValue();
    }

    boolean atTrack0() {
        return fitted && cylinder.value() == 0;
    }

    /** Moves the head by {@code steps}, inwards when positive. */
    void step(int steps) {
        if (steps == 0) return;
        cylinder.set(Math.clamp(cylinder.intValue() + steps, 0, LAST_CYLINDER));
        if (medium != null) changed.set(0);
    }

    /** Reads the sector under {@code head} of the current cylinder. */
    void read(int head, int sector, byte[] to) throws IOException {
        medium.read(geometry.position(cylinder(), head, sector), to, 0, Geometry.SECTOR);
    }

    void write(int head, int sector, byte[] from) throws IOException {
        medium.write(geometry.position(cylinder(), head, sector), from, 0, Geometry.SECTOR);
    }
}
