' The network adapters of every virtual machine, and where each is plugged in.
Option Explicit

Dim objVS, objVM, colAdapters, objAdapter, i

Set objVS = CreateObject("VirtualServer.Application")

For Each objVM In objVS.VirtualMachines
    Set colAdapters = objVM.NetworkAdapters
    WScript.Echo objVM.Name & ": " & colAdapters.Count & " adapters"
    For i = 1 To colAdapters.Count
        Set objAdapter = colAdapters.Item(i)
        If objAdapter.VirtualNetwork Is Nothing Then
            WScript.Echo vbTab & i & vbTab & objAdapter.EthernetAddress & vbTab & "not plugged in"
        Else
            WScript.Echo vbTab & i & vbTab & objAdapter.EthernetAddress & vbTab & objAdapter.VirtualNetwork.Name
        End If
    Next
Next
