package org.backplane.storm;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.backplane.board.api.Machine.SlotInfo;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/**
 * A bundle with cards, and the other versions of it that a storm makes: a copy beside it, under a name of its own, and updates in place. Their
 * versions are lower than any other, so that nobody who looks for the newest card of a type gets one by chance.
 *
 * <p>There is one copy at most. It serves until it is renewed, so that most swaps go back and forth between two class loaders whose code is compiled, as
 * they would where people swap; each renewal and each update leaves a class loader behind that must go.
 */
final class CardBundle {
    private static final String COPY = ".copy";

    private final BundleContext context;
    private final Bundle original;
    private final BundleContent content;
    private final String shipped;
    private Bundle copy;
    private int versions;

    CardBundle(BundleContext context, Bundle original) {
        this.context = context;
        this.original = original;
        shipped = original.getVersion().toString();
        try {
            content = new BundleContent(original);
        } catch (IOException e) {
            throw new UncheckedIOException(original.getSymbolicName() + " cannot be read", e);
        }
    }

    /** The slot's card comes from here, be it the original or the copy. */
    boolean serves(SlotInfo s) {
        return s.bundle().equals(original.getSymbolicName()) || servesAsCopy(s);
    }

    boolean servesAsCopy(SlotInfo s) {
        return s.bundle().equals(original.getSymbolicName() + COPY);
    }

    Bundle original() {
        return original;
    }

    /** The copy, made anew if there is none. */
    Bundle copy() throws BundleException {
        if (copy != null) return copy;
        String name = original.getSymbolicName() + COPY;
        String version = nextVersion();
        try (InputStream jar = content.jar(name, version)) {
            copy = context.installBundle(name + "@" + version, jar);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        copy.start();
        return copy;
    }

    /** Removes the copy; none of its cards is in service. */
    void dropCopy() throws BundleException {
        Bundle old = copy;
        copy = null;
        if (old != null) old.uninstall();
    }

    boolean hasCopy() {
        return copy != null;
    }

    /** Updates the original in place to a version that it never had; answers which. */
    String update() throws BundleException {
        return update(nextVersion());
    }

    /** Updates the original in place to what it was, if it is not, and starts it if an update failed half way. */
    void restore() throws BundleException {
        if (!original.getVersion().toString().equals(shipped)) update(shipped);
        if (original.getState() == Bundle.RESOLVED || original.getState() == Bundle.INSTALLED) original.start();
    }

    private String update(String version) throws BundleException {
        try (InputStream jar = content.jar(original.getSymbolicName(), version)) {
            original.update(jar);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return version;
    }

    private String nextVersion() {
        return "0.0.0.storm-" + ++versions;
    }
}
