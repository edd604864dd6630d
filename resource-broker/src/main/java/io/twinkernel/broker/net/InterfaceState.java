package io.twinkernel.broker.net;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an interface is configured: what the other kernel must be told so that it answers as this one
 * did.
 *
 * @param name in the kernel where it was read
 * @param mac its link-layer address, as in {@code 52:54:00:12:34:56}; empty where it has none
 * @param mtu largest packet in bytes
 * @param up whether it was up
 * @param addresses in the kernel's order: of one network the first is the primary one
 * @param routes through it, those that the kernel makes by itself left out
 * @param neighbours on its link
 */
public record InterfaceState(
    String name,
    String mac,
    int mtu,
    boolean up,
    List<InterfaceAddress> addresses,
    List<Route> routes,
    List<Neighbour> neighbours) {

  private static final int VERSION = 1;

  /** Keeps the lists from changing. */
  public InterfaceState {
    addresses = List.copyOf(addresses);
    routes = List.copyOf(routes);
    neighbours = List.copyOf(neighbours);
  }

  /** As bytes, for {@link #fromBytes} of the same or a later version of this program. */
  public byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(VERSION);
      out.writeUTF(name);
      out.writeUTF(mac);
      out.writeInt(mtu);
      out.writeBoolean(up);
      out.writeShort(addresses.size());
      for (InterfaceAddress address : addresses) {
        write(out, address.address());
        out.writeByte(address.prefix());
        write(out, address.peer());
        write(out, address.broadcast());
        out.writeBoolean(address.noPrefixRoute());
        out.writeInt(address.validSeconds());
        out.writeInt(address.preferredSeconds());
      }
      out.writeShort(routes.size());
      for (Route route : routes) {
        write(out, route);
      }
      out.writeShort(neighbours.size());
      for (Neighbour neighbour : neighbours) {
        write(out, neighbour.address());
        out.writeUTF(neighbour.mac());
        out.writeBoolean(neighbour.permanent());
        out.writeBoolean(neighbour.router());
      }
    } catch (IOException e) {
      throw new IllegalStateException("memory can always be written to", e);
    }
    return bytes.toByteArray();
  }

  /**
   * The state that {@link #toBytes} wrote.
   *
   * @throws IOException if the bytes are cut off, damaged or of an unknown version
   */
  public static InterfaceState fromBytes(byte[] bytes) throws IOException {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int version = in.readUnsignedByte();
      if (version != VERSION) {
        throw new IOException("interface state of version " + version + ", want " + VERSION);
      }
      String name = in.readUTF();
      String mac = in.readUTF();
      int mtu = in.readInt();
      boolean up = in.readBoolean();
      List<InterfaceAddress> addresses = new ArrayList<>();
      for (int left = in.readUnsignedShort(); left > 0; left--) {
        addresses.add(
            new InterfaceAddress(
                readAddress(in),
                in.readUnsignedByte(),
                readOptional(in),
                readOptional(in),
                in.readBoolean(),
                in.readInt(),
                in.readInt()));
      }
      List<Route> routes = new ArrayList<>();
      for (int left = in.readUnsignedShort(); left > 0; left--) {
        routes.add(readRoute(in));
      }
      List<Neighbour> neighbours = new ArrayList<>();
      for (int left = in.readUnsignedShort(); left > 0; left--) {
        neighbours.add(
            new Neighbour(readAddress(in), in.readUTF(), in.readBoolean(), in.readBoolean()));
      }
      if (in.read() >= 0) {
        throw new IOException("interface state with bytes after its end");
      }
      return new InterfaceState(name, mac, mtu, up, addresses, routes, neighbours);
    } catch (IllegalArgumentException e) {
      throw new IOException("interface state is damaged: " + e.getMessage(), e);
    }
  }

  private static void write(DataOutputStream out, Route route) throws IOException {
    write(out, route.destination());
    out.writeByte(route.prefix());
    out.writeBoolean(route.wide());
    write(out, route.gateway());
    write(out, route.source());
    out.writeInt(route.table());
    out.writeInt(route.metric());
    out.writeByte(route.protocol());
    out.writeByte(route.scope());
    out.writeBoolean(route.onLink());
  }

  private static Route readRoute(DataInputStream in) throws IOException {
    return new Route(
        readOptional(in),
        in.readUnsignedByte(),
        in.readBoolean(),
        readOptional(in),
        readOptional(in),
        in.readInt(),
        in.readInt(),
        in.readUnsignedByte(),
        in.readUnsignedByte(),
        in.readBoolean());
  }

  private static void write(DataOutputStream out, @Nullable IpAddress address) throws IOException {
    byte[] bytes = address == null ? new byte[0] : address.toBytes();
    out.writeByte(bytes.length);
    out.write(bytes);
  }

  private static @Nullable IpAddress readOptional(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readUnsignedByte()];
    in.readFully(bytes);
    return bytes.length == 0 ? null : IpAddress.of(bytes);
  }

  private static IpAddress readAddress(DataInputStream in) throws IOException {
    IpAddress address = readOptional(in);
    if (address == null) {
      throw new IOException("interface state lacks an address");
    }
    return address;
  }
}
